"""The platform's return codes for staff: what each means, and what to do. The dictionary's own advice is for developers."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wechat.errors import Fate, fate_of, meanings

_CREDENTIALS = _("Check AppID and AppSecret on the account's page.")
_PERSON = _("This person cannot be written to until he follows or writes again.")
_BY_CODE: Mapping[int, str | Promise] = {
    40013: _CREDENTIALS,
    40125: _CREDENTIALS,
    41002: _CREDENTIALS,
    41004: _CREDENTIALS,
    40243: _("The AppSecret is frozen: unfreeze it in WeChat's console."),
    40164: _("Add this server's address to the IP allowlist in WeChat's console."),
    45009: _("Today's quota is used up; sending goes on after midnight."),
    45015: _("It goes out by itself when the person next writes or scans."),
    45047: _("WeChat takes no more messages in a row; the rest goes out when the person next writes or scans."),
    48001: _("WeChat has not granted this to the account: check its kind and its verification."),
    50002: _("The account is restricted: see the notices in WeChat's console."),
}
_BY_FATE: Mapping[Fate, str | Promise] = {
    Fate.REPEAT: _("It is tried again by itself."),
    Fate.OWE: _("It goes out by itself when the person next writes or scans."),
    Fate.GIVE_UP: _PERSON,
    Fate.PAUSE: _("Sending pauses and goes on by itself when WeChat allows it."),
    Fate.SET_ASIDE: _("Somebody who knows the program should look at it."),
}


def meaning(code: int | None) -> str:
    """What the return code says, in the language of the page; empty for none, for success and for an unknown one."""
    known = meanings().get(code) if code else None
    if known is None:
        return ""
    return known.zh if (get_language() or "").startswith("zh") else known.en


def remedy(code: int) -> str:
    """What to do about it."""
    return str(_BY_CODE.get(code) or _BY_FATE[fate_of(code)])
