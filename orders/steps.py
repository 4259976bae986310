"""The steps of a quote's journey, in their order, and which step leads to which.

A follower who is known already gets his card without following anew: the card comes after the scan, as the follow does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Step:
    """`name` is that of the columns (`shown_at`, `shown`); `after` the step that leads here, empty for the first."""

    name: str
    after: str
    label: str | Promise


STEPS = (
    Step("made", "", _("Quotes made")),
    Step("shown", "made", _("Page shown")),
    Step("scanned", "shown", _("Code scanned")),
    Step("followed", "scanned", _("New follower")),
    Step("accepted", "scanned", _("Card accepted")),
    Step("opened", "accepted", _("Page opened")),
    Step("shared", "opened", _("Shared")),
    Step("others", "shared", _("Opened by others")),
)
BY_NAME: Mapping[str, Step] = {step.name: step for step in STEPS}
NAMES = tuple(BY_NAME)
LATER = STEPS[1:]  # those that have a step before them
