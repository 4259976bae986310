"""What the funnel is asked for: which days, which account, which channel code, campaign or salesperson.

Comes in: the query of the first page, which anybody may have typed. Goes out: an Asked that is possible, and the form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat.admin.scope import only
from wechat.models import Account, ChannelCode

MOST_DAYS = 366
USUAL = "30"
PRESETS: Mapping[str, str | Promise] = {
    "today": _("Today"),
    "7": _("7 days"),
    "30": _("30 days"),
    "90": _("90 days"),
    "month": _("This month"),
    "own": _("From … to …"),
}


@dataclass(frozen=True)
class Asked:
    """Days `first` to `last`, both included, the accounts, and what the quotes are filtered by."""

    first: date
    last: date
    accounts: frozenset[int]
    code: int | None = None
    campaign: str = ""
    salesperson: str = ""

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Asked":
        """As many days, right before these."""
        return replace(self, first=self.first - timedelta(days=self.days), last=self.first - timedelta(days=1))

    @property
    def of_codes(self) -> bool:
        """Whether it is about some channel codes only."""
        return bool(self.code or self.campaign or self.salesperson)

    def condition(self) -> Q:
        """For rows that have `account`, `day` and `source`."""
        wanted = self.of_accounts()
        if self.code:
            wanted &= Q(source_id=self.code)
        if self.campaign:
            wanted &= Q(source__campaign=self.campaign)
        if self.salesperson:
            wanted &= Q(source__salesperson=self.salesperson)
        return wanted

    def of_accounts(self) -> Q:
        """For rows that have `account` and `day` alone."""
        return Q(account__in=sorted(self.accounts), day__range=(self.first, self.last))


@dataclass(frozen=True)
class Choices:
    """What the filter bar offers, and what is chosen there."""

    preset: str
    chosen: Mapping[str, str]
    accounts: list[Account]
    codes: list[ChannelCode]
    campaigns: list[str]
    salespeople: list[str]

    @property
    def presets(self) -> list[tuple[str, str | Promise]]:
        """Key and words of each."""
        return list(PRESETS.items())


def asked_by(request: HttpRequest) -> tuple[Asked, Choices]:
    """What this person asks for, within the accounts he works for. What makes no sense is the usual 30 days of everything."""
    user: Any = request.user
    query = request.GET
    mine = list(only(Account.objects.all(), user))
    account = next((one for one in mine if str(one.pk) == query.get("account")), None)
    codes = list(only(ChannelCode.objects.all(), user).order_by("name", "pk"))
    if account:
        codes = [code for code in codes if code.account_id == account.pk]
    code = next((one for one in codes if str(one.pk) == query.get("code")), None)
    campaigns = sorted({one.campaign for one in codes} - {""})
    salespeople = sorted({one.salesperson for one in codes} - {""})
    preset, first, last = _period(query)
    asked = Asked(
        first,
        last,
        accounts=frozenset(one.pk for one in ([account] if account else mine)),
        code=code.pk if code else None,
        campaign=campaign if (campaign := query.get("campaign", "")) in campaigns else "",
        salesperson=person if (person := query.get("salesperson", "")) in salespeople else "",
    )
    return asked, Choices(preset, _as_query(preset, asked, account), mine, codes, campaigns, salespeople)


def _as_query(preset: str, asked: Asked, account: Account | None) -> dict[str, str]:
    """The same question as parameters of an address."""
    parameters = {
        "period": preset,
        "from": asked.first.isoformat() if preset == "own" else "",
        "to": asked.last.isoformat() if preset == "own" else "",
        "account": str(account.pk) if account else "",
        "code": str(asked.code or ""),
        "campaign": asked.campaign,
        "salesperson": asked.salesperson,
    }
    return {name: value for name, value in parameters.items() if value}


def _period(query: Mapping[str, Any]) -> tuple[str, date, date]:
    """The preset that holds, with its first and last day."""
    today = timezone.localdate()
    preset = str(query.get("period", USUAL))
    if preset == "today":
        return preset, today, today
    if preset == "month":
        return preset, today.replace(day=1), today
    if preset in ("7", "30", "90"):
        return preset, today - timedelta(days=int(preset) - 1), today
    first, last = _date(query.get("from")), _date(query.get("to"))
    if preset == "own" and first and last and 0 <= (last - first).days < MOST_DAYS and first.year > 2000:
        return preset, first, last
    return USUAL, today - timedelta(days=int(USUAL) - 1), today


def _date(text: Any) -> date | None:
    try:
        return parse_date(str(text))
    except ValueError:
        return None
