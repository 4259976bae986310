"""What the platform lets an account do, found out by calls without an effect: 48001 is a permission it does not have.

Comes in: an account with a token. Goes out: one line per ability, with what its absence means here.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat.client.core import get
from wechat.conf import AccountConfig
from wechat.errors import CallFailed, PlatformError
from wechat.explanations import explain_error

MISSING = frozenset({48001, 48004, 50001})
NO_MENU, NO_AGENTS = 46003, 65400
FINE = frozenset({NO_MENU, NO_AGENTS})  # nothing is set up yet; that it answers is enough


class State(StrEnum):
    """Whether the account has a permission."""

    HAS = "ok"
    MISSING = "warn"
    UNKNOWN = "bad"


@dataclass(frozen=True)
class Ability:
    """Something the account may be able to do, the call that shows it, and what is missed without it."""

    name: str
    label: str | Promise
    path: str
    without: str | Promise


@dataclass(frozen=True)
class Found:
    """What was found of one ability."""

    ability: Ability
    state: State
    text: str = ""


ABILITIES = (
    Ability(
        "menu",
        _("Custom menu"),
        "/cgi-bin/menu/get",
        _("No menu can be published from here; the account can have one made on WeChat's own pages."),
    ),
    Ability(
        "followers",
        _("List of followers"),
        "/cgi-bin/user/get",
        _("People are known from the moment they write or scan; those who followed before are not fetched."),
    ),
    Ability(
        "service",
        _("Customer-service messages"),
        "/cgi-bin/customservice/getkflist",
        _("Quote cards travel as the answer to the scan, and nobody can be written to later."),
    ),
    Ability(
        "templates",
        _("Template messages"),
        "/cgi-bin/template/get_all_private_template",
        _("Nobody can be told of a changed quote once his 48 hours are over."),
    ),
)
CODES = Ability(
    "codes",
    _("QR codes with a number"),
    "",
    _("The quote page cannot show a code for this account: that takes a verified service account."),
)


def find_out(account: AccountConfig, *, may_make_codes: bool) -> list[Found]:
    """Ask for every ability; codes follow from the account's kind, since asking would make one."""
    codes = Found(CODES, State.HAS if may_make_codes else State.MISSING)
    return [*(_ask(account, ability) for ability in ABILITIES), codes]


def _ask(account: AccountConfig, ability: Ability) -> Found:
    try:
        get(account, ability.path)
    except PlatformError as error:
        if error.code in FINE:
            return Found(ability, State.HAS)
        if error.code in MISSING:
            return Found(ability, State.MISSING)
        return Found(ability, State.UNKNOWN, explain_error(error).brief())
    except CallFailed as error:
        return Found(ability, State.UNKNOWN, explain_error(error).brief())
    return Found(ability, State.HAS)
