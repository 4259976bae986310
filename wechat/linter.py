"""What is probably wrong with the rules of an account, in words, with what to do about it.

Comes in: an account, or one rule as it was just saved. Goes out: findings, the worst first. Ten thousand rules take some
seconds: no rule is compared with each other one (wechat.shadows).

@linter.menu_keys                       # whoever knows a menu tells its keys: a key without a rule is a finding
def keys_of_draft(account: Account) -> Iterable[str]: ...
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat import answers, conf
from wechat.keywords import KINDS, Keyword, check_keyword, normalise
from wechat.models import Account, Rule, RuleDay, UnansweredText
from wechat.normalise import MESSAGES
from wechat.replies import ARTICLES_TO_MESSAGE
from wechat.rules import Query, RuleEntry, RuleIndex, entry_of
from wechat.shadows import Survey, order

Words = str | Promise
MenuKeys = Callable[[Account], Iterable[str]]

QUIET = timedelta(
    days=90
)  # without a hit after which a rule is worth a look, and without a tap after which a key is old
LEVELS = ("error", "warning", "info")
TRANSFER = "transfer_customer_service"
_WAITING_KEYS = ("click", "scancode_waitmsg")  # sources of texts that are keys of the menu

_TURNS = re.compile("[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069]")

HINTS: Mapping[str, Words] = {
    "no_keyword": _("Add a keyword, or switch the rule off."),
    "keyword": _("Change the keyword: until then it matches nothing."),
    "no_answer": _("Add an answer, or switch the rule off."),
    "answer": _("Correct the answer: until then it is left out."),
    "never_on": _("Correct the days of the rule."),
    "over": _("Delete the rule, or give it new days."),
    "shadowed": _("Raise its priority, choose other keywords, or delete it."),
    "duplicate": _("Keep the keyword in one of the rules."),
    "expression_first": _("Raise the priority of this rule if its own answer is meant."),
    "unused": _("Delete the rule if nobody needs it any more."),
    "menu_key": _("Make a rule for this key: whoever taps the button gets no answer of its own."),
    "reference": _("Make a rule with this keyword, or change the text of the account."),
}


@dataclass(frozen=True)
class Finding:
    """One thing to look at. `values` go into the text, and were written by anybody."""

    level: str
    rule_id: int | None
    code: str
    template: Words
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        if not self.values:
            return str(self.template)
        return str(self.template) % {name: isolated(value) for name, value in self.values.items()}

    @property
    def hint(self) -> str:
        """What to do, where the text does not say it already."""
        return str(HINTS.get(self.code, ""))


_menu_keys: list[MenuKeys] = []


def isolated(value: Any) -> Any:
    """A foreign text inside of a sentence of ours: marks in it that turn the direction end with it."""
    return f"\u2068{value}\u2069" if isinstance(value, str) and _TURNS.search(value) else value


def menu_keys(tell: MenuKeys) -> MenuKeys:
    """Register who knows keys of the account's menu buttons."""
    if tell not in _menu_keys:
        _menu_keys.append(tell)
    return tell


def of_account(account: Account) -> list[Finding]:
    """Everything about the rules of this account, errors first."""
    rules = list(account.rules.all())
    entries = [entry_of(rule) for rule in rules]
    survey, quiet = Survey(entries), _quiet(account, rules)
    found = [finding for entry in entries for finding in _of_entry(entry, survey, account)]
    found += [_unused(entry) for entry in entries if entry.id in quiet]
    found += _of_references(account, RuleIndex([entry for entry in entries if entry.enabled]))
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def of_rule(rule: Rule) -> list[Finding]:
    """Everything about this one rule as it stands in the database, also where another rule loses to it."""
    entry = entry_of(rule)
    survey = Survey([entry_of(other) for other in rule.account.rules.exclude(pk=rule.pk)] + [entry])
    found = [*_of_entry(entry, survey, rule.account), *_wins(entry, survey)]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def _of_entry(entry: RuleEntry, survey: Survey, account: Account) -> Iterator[Finding]:
    yield from _of_keywords(entry)
    yield from _of_answers(entry, account)
    yield from _of_time(entry, timezone.localdate())
    if entry.enabled:
        yield from _of_others(entry, survey)


def _of_keywords(entry: RuleEntry) -> Iterator[Finding]:
    if entry.enabled and not entry.keywords:
        yield Finding("error", entry.id, "no_keyword", _("The rule is on and has no keyword."))
    for keyword in entry.keywords:
        try:
            check_keyword(keyword)
        except ValidationError as error:
            values = {"keyword": _shown(keyword), "reason": " ".join(error.messages)}
            yield Finding("error", entry.id, "keyword", _("The keyword “%(keyword)s”: %(reason)s"), values)


def _of_answers(entry: RuleEntry, account: Account) -> Iterator[Finding]:
    documents: list[dict[str, Any]] = [dict(document) for document in entry.answers]
    if entry.enabled and not documents:
        yield Finding("error", entry.id, "no_answer", _("The rule is on and has no answer."))
    try:
        cleaned = answers.clean(documents)
    except ValidationError as error:
        yield from (Finding("error", entry.id, "answer", "%(reason)s", {"reason": text}) for text in error.messages)
        return
    yield from (
        Finding("warning", entry.id, "cut", "%(reason)s", {"reason": text}) for text in answers.warnings([*cleaned])
    )
    several = entry.choice == Rule.Choice.ALL and len(cleaned) > 1
    if several and not account.may_send_customer_service:
        text = _("This account may send no customer-service messages: only the first answer goes out.")
        yield Finding("warning", entry.id, "only_first", text)
    yield from _of_kinds(entry, cleaned, several=several)


def _of_kinds(entry: RuleEntry, documents: list[dict[str, Any]], *, several: bool) -> Iterator[Finding]:
    """What of the answers cannot be given to what the rule waits for."""
    by_event = [_comes_from_event(keyword) for keyword in entry.keywords]
    transfers = [position for position, document in enumerate(documents) if document["kind"] == TRANSFER]
    if transfers and by_event and all(by_event):
        text = _("Only what a person writes can be handed to customer service, no menu button, code or follow.")
        yield Finding("error", entry.id, "transfer", text)
    elif several and transfers and transfers != [0]:
        yield Finding(
            "warning", entry.id, "transfer", _("Handing over to customer service works as the first answer only.")
        )
    if not all(by_event) and any(len(each.get("articles", ())) > ARTICLES_TO_MESSAGE for each in documents):
        text = _("Who writes gets the first article only. All of them come after a menu button, a code or a follow.")
        yield Finding("info", entry.id, "one_article", text)


def _of_time(entry: RuleEntry, today: date) -> Iterator[Finding]:
    if entry.starts_on and entry.ends_on and entry.ends_on < entry.starts_on:
        yield Finding("error", entry.id, "never_on", _("The last day is before the first one: the rule is never on."))
    elif entry.enabled and entry.ends_on and entry.ends_on < today:
        values = {"day": entry.ends_on.isoformat()}
        yield Finding("info", entry.id, "over", _("The last day of the rule was %(day)s."), values)


def _of_others(entry: RuleEntry, survey: Survey) -> Iterator[Finding]:
    """Where another rule takes what this one is for."""
    if blocker := survey.blocked_by(entry):
        text = _("The rule never answers: “%(other)s” is always asked before it.")
        yield Finding("warning", entry.id, "shadowed", text, {"other": blocker.name})
    for keyword in {keyword.key: keyword for keyword in entry.keywords}.values():
        twin = next(survey.twins(entry, keyword), None) if keyword.kind != "takeover" else None
        if twin and order(twin, keyword.kind) < order(entry, keyword.kind):
            text = _("The keyword “%(keyword)s” is in “%(other)s” too, and that rule is asked first.")
            yield Finding("warning", entry.id, "duplicate", text, {"keyword": _shown(keyword), "other": twin.name})
        for one in survey.before(entry, keyword) if keyword.kind == "exact" else ():
            if one.keyword.kind == "regex":
                text = _("The keyword “%(keyword)s” fits the expression of “%(other)s”, and that rule is asked first.")
                values = {"keyword": _shown(keyword), "other": one.entry.name}
                yield Finding("warning", entry.id, "expression_first", text, values)


def _wins(entry: RuleEntry, survey: Survey) -> Iterator[Finding]:
    """Where this rule takes what others are for: worth a word when it was just saved."""
    for keyword in entry.keywords if entry.enabled else ():
        twin = next(survey.twins(entry, keyword), None) if keyword.kind != "takeover" else None
        if twin and order(entry, keyword.kind) < order(twin, keyword.kind):
            text = _("The keyword “%(keyword)s” is in “%(other)s” too; this rule is asked first.")
            yield Finding("info", entry.id, "duplicate", text, {"keyword": _shown(keyword), "other": twin.name})


def _quiet(account: Account, rules: list[Rule]) -> set[int]:
    """The rules that are on, are old enough, and answered nobody for a long time."""
    since = timezone.now() - QUIET
    used = RuleDay.objects.filter(rule__account=account, day__gte=since.date(), hits__gt=0).values_list(
        "rule_id", flat=True
    )
    return {rule.pk for rule in rules if rule.enabled and rule.created_at < since} - set(used)


def _unused(entry: RuleEntry) -> Finding:
    text = _("The rule has not answered anybody for %(days)d days.")
    return Finding("info", entry.id, "unused", text, {"days": QUIET.days})


def _of_references(account: Account, index: RuleIndex) -> Iterator[Finding]:
    """Keys of the menu, and keywords in the account's texts, that lead to no rule."""
    now = timezone.now()
    for key in _keys(account):
        if not index.candidates(Query(key, "click", "click", None), now):
            yield Finding("warning", None, "menu_key", _("No rule answers the menu key “%(key)s”."), {"key": key})
    config = conf.account_by_id(account.pk)
    for row, handle in (("wechat_welcome_keyword", "welcome"), ("wechat_default_keyword", "default")):
        keyword = config.get(row)
        if keyword and not index.candidates(Query(keyword, handle, "text", None), now):
            text = _("The keyword “%(keyword)s” in the texts of the account leads to no rule.")
            yield Finding("warning", None, "reference", text, {"keyword": keyword})


def _keys(account: Account) -> list[str]:
    """The keys that menus have, and those that came in and got no answer of their own; each once."""
    told = (key for tell in _menu_keys for key in tell(account))
    since = timezone.now() - QUIET
    came = UnansweredText.objects.filter(
        account=account, source__in=_WAITING_KEYS, last_at__gte=since, dismissed=False
    ).values_list("text", flat=True)
    return list({normalise(key): key for key in (*told, *came)}.values())


def _comes_from_event(keyword: Keyword) -> bool:
    of_event = keyword.kind == "message_type" and keyword.text not in MESSAGES
    return of_event or keyword.kind in ("event_key", "scene")


def _shown(keyword: Keyword) -> str:
    return keyword.text or str(KINDS.get(keyword.kind, keyword.kind))
