"""The page of a reply rule: a form for staff who do not program, beside a phone that shows what the person will see."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from wechat import linter, materials
from wechat.admin import hits, rule_editor, rule_form, rule_looks, rule_preview, scope
from wechat.admin.menu import REPLIES, Entry
from wechat.admin.pages import RULES, WithPages
from wechat.admin.rule_list import RuleList
from wechat.models import Account, Rule

_LEVELS = {"info": messages.INFO, "warning": messages.WARNING, "error": messages.ERROR}


@admin.register(Rule)
class RuleAdmin(WithPages, RuleList):
    """One rule. Its form is checked by wechat.admin.rule_form; the phone is drawn by wechat.admin.rule_preview."""

    menu = Entry(REPLIES, 10, "quickreply")
    pages = RULES
    form = rule_form.RuleForm
    compressed_fields = False
    warn_unsaved_form = True
    readonly_fields = ("listens_to_all", "answers_shown", "hits_chart")

    class Media:
        css = {"all": ("css/rules.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: Rule | None = None) -> list[tuple[Any, dict[str, Any]]]:
        """Who may only look reads keywords and answers in words; a new rule has no hits yet."""
        may = self.has_change_permission(request, obj) if obj else True
        keywords, answers = ("keywords", "answers") if may else ("listens_to_all", "answers_shown")
        groups: list[tuple[Any, list[Any]]] = [
            (None, [("name", "account"), "enabled"]),
            (_("When the person writes or does this"), [keywords]),
            (_("The account answers"), [answers, "choice"]),
            (_("Order and time"), ["priority", ("starts_on", "ends_on"), ("from_time", "until_time")]),
        ]
        if obj:
            groups.append((_("Use"), ["hits_chart"]))
        return [(title, {"fields": fields}) for title, fields in groups]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [path("preview/", view, name="wechat_rule_preview"), *super().get_urls()]

    @admin.display(description=_("keywords"))
    def listens_to_all(self, rule: Rule) -> SafeString:
        return rule_looks.chips(rule.keywords, most=len(rule.keywords))

    @admin.display(description=_("answers"))
    def answers_shown(self, rule: Rule) -> SafeString:
        return rule_looks.answers_in_short(rule.answers, most=len(rule.answers))

    @admin.display(description=_("answers in the last 30 days"))
    def hits_chart(self, rule: Rule) -> SafeString:
        return hits.large_chart(hits.recent(rule))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """`?text=…&source=…&account=…`: a rule for a text that nobody answered."""
        begun = rule_form.prefilled(request.GET.get("text", ""), request.GET.get("source", ""))
        return {**super().get_changeform_initial_data(request), **begun}

    def form_context(self, request: HttpRequest, obj: Rule | None) -> dict[str, Any]:
        rule = obj or Rule(keywords=self.get_changeform_initial_data(request).get("keywords", []))
        return {
            "editor": {**rule_editor.texts(), "materials": materials.choices(scope.accounts_of(request.user))},
            "preview_url": reverse("admin:wechat_rule_preview"),
            **_shown(
                rule.keywords, rule.answers, choice=rule.choice, account=rule.account if rule.account_id else None
            ),
        }

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The phone for what stands in the form now. Nothing is stored."""
        if not (self.has_view_or_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        chosen, account = request.POST.get("account", ""), None
        if chosen:
            account = rule_form.account_of(scope.only(Account.objects.all(), request.user), chosen)
            if account is None:
                raise Http404
        try:
            keywords, answers = (rule_form.read(request.POST.get(name, "")) for name in ("keywords", "answers"))
        except ValidationError as error:
            return HttpResponseBadRequest(" ".join(error.messages), content_type="text/plain")
        shown = _shown(keywords, answers, choice=request.POST.get("choice", ""), account=account)
        return render(request, "admin/wechat/rule/preview.html", shown)

    def response_add(self, request: HttpRequest, obj: Rule, post_url_continue: str | None = None) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        self._tell(request, obj)
        return response  # type: ignore[no-any-return]

    def response_change(self, request: HttpRequest, obj: Rule) -> HttpResponse:
        response = super().response_change(request, obj)
        self._tell(request, obj)
        return response  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Rule, form: rule_form.RuleForm, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        for text in form.merged:
            said = gettext("The keyword “%(text)s” stood there twice; it is kept once.") % {"text": text}
            self.message_user(request, said, messages.WARNING)

    def _tell(self, request: HttpRequest, rule: Rule) -> None:
        """What the linter thinks of the rule, after the message that it is saved."""
        for finding in linter.of_rule(rule):
            self.message_user(request, finding.text, _LEVELS.get(finding.level, messages.WARNING))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """The rules with how often they answered lately, in place of the rows that count it."""
        _listed, _counts, forbidden, protected = super().get_deleted_objects(objs, request)
        rules = list(objs)
        listed = [f"{rule}: {hits.in_words(hits.recent(rule))}" for rule in rules]
        return listed, {str(self.opts.verbose_name_plural): len(rules)}, forbidden, protected

    def describe_value(self, field: Any, value: Any) -> Any:
        """Keywords and answers in the history as staff read them, not as they are stored."""
        if field.name in ("keywords", "answers"):
            return rule_looks.plain(value)
        return super().describe_value(field, value)


def _shown(keywords: Any, answers: Any, *, choice: str, account: Account | None) -> dict[str, Any]:
    """The context of templates/admin/wechat/rule/preview.html."""
    may_send = account is None or account.may_send_customer_service
    preview = rule_preview.of(keywords, answers, random=choice == Rule.Choice.RANDOM, may_send=may_send)
    return {"bubbles": preview.bubbles, "hints": preview.hints, "heading": str(account or "")}
