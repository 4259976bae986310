"""The form of the instant quote, and how often it may be sent. No name, no phone, no cookie is asked for.

Comes in: a room area and the choice of a plan, as a visitor typed them. Goes out: a checked area and plan, or errors in
words; and whether this client, or all of them together, have made too many quotes in this hour.
"""

import ipaddress
import re
import time
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orders.cards import money
from orders.models import PricePlan
from orders.plans import MOST, on_offer, reckon
from wechat.models import Account, ChannelCode

HOUR = 3600  # seconds
_UNITS = re.compile(r"\s*(?:㎡|m2|m²|平方米|平米|平方|平)\s*\Z", re.IGNORECASE)


class AreaField(forms.DecimalField):
    """A room area in m², also as people write it: full-width digits, a comma between thousands, the unit behind it."""

    def to_python(self, value: Any) -> Any:
        text = unicodedata.normalize("NFKC", _UNITS.sub("", str(value or ""))).strip()
        return super().to_python(_UNITS.sub("", text).replace(",", ""))


class InstantForm(forms.Form):
    """What a visitor is asked. `website` is for machines: people do not see it, and leave it empty."""

    room_area = AreaField(
        label=_("Room area"),
        min_value=Decimal("0.01"),
        max_digits=7,
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "required": True}),
        error_messages={
            "required": _("Please tell us the room area in ㎡."),
            "invalid": _("Please give the room area as a number, such as 89 or 89.5."),
            "min_value": _("The room area must be more than 0 ㎡."),
            "max_digits": _("This room area is larger than we can reckon here."),
            "max_whole_digits": _("This room area is larger than we can reckon here."),
            "max_decimal_places": _("Two decimal places are enough, such as 89.55."),
        },
    )
    plan = forms.ModelChoiceField(
        PricePlan.objects.none(),
        label=_("Package"),
        error_messages={
            "required": _("Please choose a package."),
            "invalid_choice": _("This package is not on offer any more. Please choose another one."),
        },
    )
    website = forms.CharField(required=False)
    c = forms.CharField(required=False, max_length=64)

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.plans = list(on_offer(account.pk).prefetch_related("items"))
        self.fields["plan"].queryset = on_offer(account.pk).prefetch_related("items")  # type: ignore[attr-defined]

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("Something went wrong. Please load the page again."))
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        plan, area = cleaned.get("plan"), cleaned.get("room_area")
        if plan is None or area is None:
            return cleaned
        if not plan.smallest <= area <= plan.largest:
            limits = {"smallest": money(plan.smallest), "largest": money(plan.largest)}
            self.add_error(
                "room_area", ValidationError(_("This package is for %(smallest)s to %(largest)s ㎡.") % limits)
            )
        elif reckon(plan, area).market > MOST:
            self.add_error("room_area", _("This room area is larger than we can reckon here."))
        return cleaned

    def source(self) -> ChannelCode | None:
        """The channel code that brought the visitor, if `c` is the scene of one that is on."""
        scene = self.cleaned_data["c"]
        return ChannelCode.objects.filter(account=self.account, scene=scene, enabled=True).first() if scene else None


def may_make_one(address: str) -> bool:
    """Count one quote of the client at `address`; False when he, or everybody together, had enough for this hour.

    Counted in the cache: a refused request leaves no row. Without a shared cache each web process counts for itself.
    """
    own = _count(f"instant:{_network(address)}") <= settings.INSTANT_QUOTES_PER_ADDRESS
    return own and _count("instant:all") <= settings.INSTANT_QUOTES_PER_HOUR


def seconds_left() -> int:
    """Until the next hour begins, in which counting begins anew."""
    return HOUR - int(time.time()) % HOUR


def _count(name: str) -> int:
    key = f"{name}:{int(time.time()) // HOUR}"
    cache.add(key, 0, timeout=HOUR)
    try:
        return cache.incr(key)
    except ValueError:  # it ended between the two
        return 1


def _network(address: str) -> str:
    """One client: an IPv4 address, or the /64 that one line has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(parsed if parsed.version == 4 else ipaddress.ip_network((parsed, 64), strict=False).network_address)
