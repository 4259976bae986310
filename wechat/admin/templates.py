"""Message templates as staff see them: what each asks for, the card, and sending it to one person or to many."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from wechat import conf, template_catalogue, templating
from wechat.admin import looks, scope, template_form
from wechat.admin.actions import asks_first
from wechat.admin.menu import MESSAGES, Entry
from wechat.admin.records import RecordAdmin
from wechat.errors import CallFailed, PlatformError
from wechat.explanations import explain_error
from wechat.models import Account, MessageTemplate

NO_RIGHT = 48001  # the account has no such messages: nothing to worry about


@admin.register(MessageTemplate)
class TemplateAdmin(RecordAdmin):
    """Read-only: templates are made in the platform's console. From here they are sent."""

    menu = Entry(MESSAGES, 40, "featured_play_list", _("Templates"))
    list_display = ("title_shown", "kind", "asks_for", "status", "account", "synced_at")
    list_filter = ("kind", "account")
    list_select_related = ("account",)
    ordering = ("title", "pk")
    search_fields = ("template_id",)
    exact_search = "template_id"
    search_help_text = _("A complete number of a template.")
    actions_list = ("synchronise",)
    actions_detail = ("send_it",)
    fields = ("title_shown", "kind", "status", "account", "template_id", "synced_at", "fields_shown", "card")
    readonly_fields = ("title_shown", "status", "fields_shown", "card")

    class Media:
        css = {"all": ("css/phone_preview.css", "css/templates.css")}  # Django reads it

    def has_send_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person may send templates."""
        return request.user.has_perm("wechat.add_sendjob") and self.owns(request, obj)

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "wechat_messagetemplate"
        return [
            path("choose/", wrap(self.choose_view), name=f"{name}_choose"),
            path("<path:object_id>/send/", wrap(self.send_view), name=f"{name}_send"),
            path("<path:object_id>/preview/", wrap(self.preview_view), name=f"{name}_preview"),
            *super().get_urls(),
        ]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        template = self.get_object(request, unquote(str(object_id)))
        usable = template is not None and template.gone_at is None
        return super().get_actions_detail(request, object_id) if usable else []  # type: ignore[no-any-return]

    @asks_first(
        _("Synchronise with WeChat"),
        question=_("Synchronise the templates?"),
        consequence=_("WeChat is asked which templates the accounts have. Nothing is sent to anybody."),
        icon="sync",
        permission="act",
    )
    def synchronise(self, request: HttpRequest, _form: Any) -> HttpResponse:
        """Ask the platform which templates each account of this person has."""
        for account in scope.only(Account.objects.all(), request.user):
            outcome = template_catalogue.synchronise(conf.account_by_id(account.pk))
            numbers = {"account": account, "found": outcome.found, "new": outcome.new, "gone": outcome.gone}
            text = gettext("%(account)s: %(found)d templates, %(new)d of them new; %(gone)d are gone.") % numbers
            level = messages.SUCCESS if len(outcome.refused) < len(MessageTemplate.Kind) else messages.WARNING
            self.message_user(request, text, level)
            for kind, error in outcome.refused.items():
                self._tell(request, account, MessageTemplate.Kind(kind).label, error)
        return self.back(request)

    def _tell(self, request: HttpRequest, account: Account, kind: Any, error: CallFailed) -> None:
        facts = {"account": account, "kind": kind, "why": explain_error(error).brief()}
        if isinstance(error, PlatformError) and error.code == NO_RIGHT:
            text = gettext("%(account)s has no right to this: %(kind)s. Only verified service accounts do.") % facts
            self.message_user(request, text, messages.INFO)
        else:
            text = gettext("%(account)s, %(kind)s: %(why)s") % facts
            self.message_user(request, text, messages.ERROR)

    @action(description=_("Send…"), permissions=["send"], icon="send")  # type: ignore[untyped-decorator]
    def send_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("admin:wechat_messagetemplate_send", object_id)

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        """Which template: for links that know to whom and not yet what."""
        if not self.has_send_permission(request):
            raise PermissionDenied
        mine = self.get_queryset(request).filter(gone_at=None).select_related("account")
        if slug := request.GET.get("account"):
            mine = mine.filter(account__slug=slug)
        asked = request.GET.copy()
        asked.pop("account", None)
        cards = [(template, template_form.bubble(template, samples_of(template))) for template in mine[:100]]
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Which template?"),
            "cards": cards,
            "query": asked.urlencode(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/wechat/template_choose.html", context)

    def _asked(self, request: HttpRequest, object_id: str) -> MessageTemplate:
        """The template of the address, for who may send it."""
        template: MessageTemplate | None = self.get_object(request, unquote(object_id))
        if not self.has_send_permission(request, template):
            raise PermissionDenied
        if template is None or template.gone_at is not None:
            raise Http404
        return template

    def send_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form of a template. Many people are counted and confirmed first."""
        template = self._asked(request, object_id)
        data = request.POST if request.method == "POST" else None
        form = template_form.SendForm(template, data, initial=request.GET.dict())
        ask = 0
        if form.is_bound and form.is_valid():
            if form.to_one:
                message = form.send_one(request.user)
                self.log_change(request, template, gettext("Sent to one follower"))
                self.message_user(request, gettext("The message is on its way."), messages.SUCCESS)
                return redirect("admin:wechat_outgoingmessage_change", message.pk)
            ask = form.count()
            if ask and form.cleaned_data["confirmed"] == str(ask):
                job = form.start(request.user)
                self.log_change(request, template, gettext("Sent to %(count)d people") % {"count": job.total})
                return redirect("admin:wechat_sendjob_change", job.pk)
            if not ask:
                form.add_error("to", gettext("Nobody belongs to this now."))
        return self._page(request, template, form, ask=ask)

    def _page(
        self, request: HttpRequest, template: MessageTemplate, form: template_form.SendForm, *, ask: int
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **shown(form),
            "title": template.title or template.template_id,
            "subtitle": gettext("Send a template"),
            "form": form,
            "ask": ask,
            "original": template,
            "opts": self.opts,
            "preview_url": reverse("admin:wechat_messagetemplate_preview", args=[template.pk]),
        }
        return TemplateResponse(request, "admin/wechat/template_send.html", context)

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The phone for what stands in the form now. Nothing is stored."""
        template = self._asked(request, object_id)
        return render(request, "admin/wechat/rule/preview.html", shown(template_form.SendForm(template, request.POST)))

    @admin.display(description=_("template"))
    def title_shown(self, template: MessageTemplate) -> str:
        return template.title or template.template_id

    @admin.display(description=_("fields"))
    def asks_for(self, template: MessageTemplate) -> str:
        return "、".join(part.label or part.key for part in templating.fields_of(template.content)) or looks.NOTHING

    @admin.display(description=_("state"))
    def status(self, template: MessageTemplate) -> SafeString:
        if template.gone_at:
            return looks.badge(gettext("Gone from WeChat"), "danger")
        return looks.badge(gettext("Usable"), "success")

    @admin.display(description=_("fields"))
    def fields_shown(self, template: MessageTemplate) -> str:
        parts = templating.fields_of(template.content, template.example)
        rows = (format_html("<b>{}</b> <code>{}</code> {}", part.label, part.key, _rule(part)) for part in parts)
        return looks.lines([*rows, *templating.warnings(parts, {})])

    @admin.display(description=_("card"))
    def card(self, template: MessageTemplate) -> str:
        bubble = template_form.bubble(template, samples_of(template))
        return format_html(
            '<div class="tp-card wx-phone">{}</div>', render_to_string("admin/phone_template.html", {"bubble": bubble})
        )


def samples_of(template: MessageTemplate) -> dict[str, str]:
    """An example for each field: the platform's own, or one of its kind."""
    parts = templating.fields_of(template.content, template.example)
    return {
        part.key: part.example or (templating.KINDS[part.kind].example if part.kind else part.label) for part in parts
    }


def shown(form: template_form.SendForm) -> dict[str, Any]:
    """The phone beside the form, and hints."""
    leads = bool(form["url"].value() or ("appid" in form.fields and form["appid"].value()))
    return {
        "bubbles": [template_form.bubble(form.template, form.typed(), leads=leads)],
        "hints": form.warnings(),
        "heading": form.template.account.name,
    }


def _rule(part: templating.Field) -> Any:
    return gettext("Not shown by WeChat any more") if part.dropped else part.rule
