"""The people: who follows, by which code he came, who is still owed a message; one person's data handed out, or erased."""

import re
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from wechat import privacy
from wechat.admin import conversation_links, follower_file, looks
from wechat.admin.actions import asks_first
from wechat.admin.blocking import AtWechat
from wechat.admin.conversations import Conversing
from wechat.admin.follower_filters import OwedFilter, SourceFilter, TagFilter
from wechat.admin.menu import PEOPLE, Entry
from wechat.admin.records import RecordAdmin
from wechat.admin.tagging import Tagging
from wechat.models import Follower
from wechat.models.followers import ERASED

_OPENID = re.compile(r"[A-Za-z0-9_-]{20,64}")


class Looks:
    """What the list and the page say of a person."""

    @admin.display(description=_("person"))
    def person(self, follower: Follower) -> str:
        names = [name for name in (follower.remark, follower.nickname) if name]
        if not names:
            return follower.masked_openid
        return looks.lines([" · ".join(names), _subtle(follower.masked_openid)])

    @admin.display(description=_("follows"))
    def follows(self, follower: Follower) -> SafeString:
        if follower.blocked:
            return looks.badge(gettext("Blocked"), "danger")
        return (
            looks.badge(gettext("Following"), "success")
            if follower.subscribed
            else looks.badge(gettext("Not following"))
        )

    @admin.display(description=_("as of"))
    def state_as_of(self, follower: Follower) -> str:
        told = follower.state_time > 0
        return _in_words(datetime.fromtimestamp(follower.state_time, UTC)) if told else looks.NOTHING

    @admin.display(description=_("came by"))
    def came_by(self, follower: Follower) -> str:
        if follower.followed_at is None:
            return looks.NOTHING
        code = follower.source or gettext("no code")
        return looks.lines([code, _subtle(_in_words(follower.followed_at))])

    @admin.display(description=_("tags"))
    def tag_names(self, follower: Follower) -> str:
        return "、".join(tag.name for tag in follower.tags.all()) or looks.NOTHING

    @admin.display(description=_("messages owed"))
    def still_owed(self, follower: Follower) -> str:
        return looks.badge(follower.owed, "warning") if follower.owed else looks.NOTHING

    @admin.display(description=_("messages"))
    def messages_of_it(self, follower: Follower) -> str:
        search = urlencode({"q": follower.openid})
        talk = looks.link(conversation_links.address(follower.pk), gettext("Conversation"))
        lists = (
            looks.link(f"{reverse(f'admin:wechat_{name}_changelist')}?{search}", text)
            for name, text in (("push", gettext("Received pushes")), ("outgoingmessage", gettext("Sent and waiting")))
        )
        return looks.lines([talk, *lists])

    @admin.display(description=_("reported position"))
    def position(self, follower: Follower) -> str:
        """As text: no map is asked, and none learns of it."""
        if follower.latitude is None or follower.longitude is None:
            return looks.NOTHING
        about = f" ± {follower.precision:.0f} m" if follower.precision is not None else ""
        return f"{follower.latitude:.5f}, {follower.longitude:.5f}{about}"

    @admin.display(description=_("avatar"))
    def picture(self, follower: Follower) -> str:
        return looks.outside_link(follower.avatar, gettext("Open the picture"))


@admin.register(Follower)
class FollowerAdmin(Looks, Conversing, Tagging, AtWechat, RecordAdmin):
    """Read-only but for tags, remark and block list; a person can be exported and erased."""

    menu = Entry(PEOPLE, 10, "group")
    list_display = ("person", "follows", "came_by", "tag_names", "last_seen", "still_owed", "account")
    list_filter = ("subscribed", "blocked", OwedFilter, TagFilter, SourceFilter, "account")
    list_select_related = ("account",)
    search_fields = ("openid",)
    search_help_text = _("A complete openid, or a part of a nickname or a remark.")
    actions = ("add_tag", "remove_tag", "block_chosen", "unblock_chosen")
    actions_detail = (
        "send_template",
        "conversation",
        "choose_tags",
        "edit_remark",
        "block_person",
        "unblock_person",
        "export_person",
        "erase_person",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "person",
                    "openid",
                    "account",
                    "remark",
                    "follows",
                    "tag_names",
                    "still_owed",
                    "messages_of_it",
                )
            },
        ),
        (_("How he came"), {"fields": ("came_by", "first_seen", "state_as_of")}),
        (_("Last contact"), {"fields": ("last_seen", "message_at", "event_at")}),
        (_("What he lets us know"), {"fields": ("picture", "position", "located_at")}),
        (_("Conversation"), {"fields": ("held_by", "held_until", "picture_key", "picture_at")}),
    )
    readonly_fields = (
        "person",
        "follows",
        "tag_names",
        "still_owed",
        "messages_of_it",
        "came_by",
        "state_as_of",
        "picture",
        "position",
    )

    def has_template_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may send templates to people."""
        return request.user.has_perm("wechat.add_sendjob") and self.owns(request, obj)

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may erase people, and read whole openids out of the list."""
        return request.user.has_perm("wechat.delete_follower") and self.owns(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Follower]:
        return super().get_queryset(request).prefetch_related("tags")  # type: ignore[no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Follower], search_term: str
    ) -> tuple[QuerySet[Follower], bool]:
        term = search_term.strip()
        if not term or _OPENID.fullmatch(term):
            return super().get_search_results(request, queryset, term)
        return queryset.filter(Q(nickname__icontains=term) | Q(remark__icontains=term)), False

    def get_fieldsets(self, request: HttpRequest, obj: Follower | None = None) -> list[tuple[Any, dict[str, Any]]]:
        """The conversation only where there is something to say of it."""
        fieldsets: list[Any] = list(self.fieldsets)
        return fieldsets if obj and (obj.held_by or obj.picture_at) else fieldsets[:-1]

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_list)
        return [path("export/", export, name="wechat_follower_export"), *super().get_urls()]

    def export_list(self, request: HttpRequest) -> HttpResponseBase:
        """The list as a CSV file, with the filters and the search of the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            chosen = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect("admin:wechat_follower_changelist")
        _log(request, CHANGE, None, gettext("Exported the list"))
        return follower_file.download(chosen, whole=self.has_erase_permission(request))

    @action(description=_("Send a template…"), permissions=["template"], icon="send")  # type: ignore[untyped-decorator]
    def send_template(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """On to the choice of a template, for this person."""
        follower = self.found(request, object_id)
        if follower is None:
            return self.back(request)
        asked = {"account": follower.account.slug, "to": "one", "openid": follower.openid}
        return redirect(f"{reverse('admin:wechat_messagetemplate_choose')}?{urlencode(asked)}")

    @action(description=_("Export the person's data"), permissions=["act"], icon="download")  # type: ignore[untyped-decorator]
    def export_person(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Everything we keep of this person, as a JSON file."""
        follower = self.found(request, object_id)
        if follower is None:
            return self.back(request)
        self.log_change(request, follower, gettext("Exported the person's data"))
        pieces = privacy.export(follower.account_id, follower.openid)
        response = StreamingHttpResponse(pieces, content_type="application/json; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="person-{follower.pk}.json"'
        return response

    @asks_first(
        _("Erase this person"),
        question=_("Erase this person?"),
        consequence=_(
            "Deleted: nickname, avatar, tags, position, and what was said in every push and message. Made anonymous and "
            "kept for the statistics: that a push, a message or a scan happened, and when. Messages that are still on "
            "their way are given up, and shared links of this person's scans stop working. Quotes stay. This cannot be "
            "undone. If the person comes back, everything begins anew."
        ),
        icon="person_remove",
        permission="erase",
    )
    def erase_person(self, request: HttpRequest, _form: Any, object_id: str) -> HttpResponse:
        follower = self.found(request, object_id)
        if follower is not None:
            erased = privacy.erase(follower.account_id, follower.openid)
            _log(request, DELETION, follower, gettext("Erased this person"))
            text = gettext("The person is erased: %(pushes)d pushes and %(messages)d messages lead to nobody any more.")
            counts = {"pushes": erased.pushes, "messages": erased.messages}
            self.message_user(request, text % counts, messages.SUCCESS)
        return self.back(request)

    def log_change(self, request: HttpRequest, obj: Follower, message: Any) -> LogEntry:
        """Without the nickname, which he may take back."""
        return _log(request, CHANGE, obj, message)


def _log(request: HttpRequest, flag: int, follower: Follower | None, message: str) -> LogEntry:
    """Write down what staff did, with nothing that says who the person was once he is erased."""
    return LogEntry.objects.create(
        user_id=int(request.user.pk or 0),
        content_type=ContentType.objects.get_for_model(Follower),
        object_id=str(follower.pk) if follower else None,
        object_repr=ERASED if flag == DELETION or not follower else follower.masked_openid,
        action_flag=flag,
        change_message=message,
    )


def _in_words(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def _subtle(text: str) -> SafeString:
    return format_html('<span class="text-font-subtle-light dark:text-font-subtle-dark">{}</span>', text)
