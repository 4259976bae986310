"""How long things are kept."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from wechat.registry.row import Row

RETENTION = _("Retention")


def _is_days(value: str) -> None:
    if not (re.fullmatch("[0-9]{1,5}", value) and int(value) <= 36_500):
        raise ValidationError(_("Give a whole number of days; 0 keeps for ever."))


ROWS = (
    Row(
        "wechat_link_days",
        _("Shared links open for (days)"),
        _("Counted from the scan; then neither the card nor anybody who got it opens the quote. Empty or 0: for ever."),
        group=RETENTION,
        check=_is_days,
    ),
    Row(
        "wechat_keep_messages_days",
        _("Keep messages of people (days)"),
        _("Texts, pictures, voices and what else people write. Empty or 0: for ever."),
        group=RETENTION,
        check=_is_days,
    ),
    Row(
        "wechat_keep_events_days",
        _("Keep events (days)"),
        _("Follows, scans, menu taps and reports of the platform. The scans of a quote stay. Empty or 0: for ever."),
        group=RETENTION,
        check=_is_days,
    ),
    Row(
        "wechat_keep_positions_days",
        _("Keep reported positions (days)"),
        _("Where a person is, as WeChat reports it when he opens the account. Empty: 30 days. 0: for ever."),
        group=RETENTION,
        default=lambda: "30",
        check=_is_days,
    ),
    Row(
        "wechat_keep_sent_days",
        _("Keep sent messages (days)"),
        _("What was sent or given up; what still waits or is owed is never removed. Empty or 0: for ever."),
        group=RETENTION,
        check=_is_days,
    ),
    Row(
        "wechat_keep_calls_days",
        _("Keep the log of API calls (days)"),
        _("Which calls to WeChat were made, and what it answered. Empty: 30 days. 0: for ever."),
        group=RETENTION,
        default=lambda: "30",
        check=_is_days,
    ),
    Row(
        "wechat_keep_visits_days",
        _("Keep visits of the public pages (days)"),
        _("Which pages were opened, without names. The funnel's figures stay. Empty: 180 days. 0: for ever."),
        group=RETENTION,
        default=lambda: "180",
        check=_is_days,
    ),
    Row(
        "wechat_keep_unanswered_days",
        _("Keep unanswered texts (days)"),
        _("Counted from the last time somebody wrote it. Empty or 0: for ever."),
        group=RETENTION,
        check=_is_days,
    ),
)
