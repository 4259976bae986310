"""How an account is connected to the platform: its numbers, its secrets, and what is fetched by them."""

import re
from datetime import datetime
from datetime import time as day_time

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from wechat import crypto
from wechat.registry.row import Row

CONNECTION = _("Connection")


def _is_appid(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{6,64}", value):
        raise ValidationError(_("An AppID has letters and digits only, such as wx0123456789abcdef."))


def _is_secret(value: str) -> None:
    if not re.fullmatch(r"[\x21-\x7e]{3,128}", value):
        raise ValidationError(_("Paste 3 to 128 letters and digits, without spaces."))


def _is_aes_key(value: str) -> None:
    try:
        crypto.decode_aes_key(value)
    except crypto.CryptoError:
        raise ValidationError(_("An EncodingAESKey has exactly 43 letters and digits.")) from None


def moment(value: str) -> datetime | None:
    """The moment that `2026-11-30` (its end) or `2026-11-30 18:00` names, in the site's time zone; None: neither."""
    try:
        read = datetime.strptime(value, "%Y-%m-%d %H:%M" if " " in value else "%Y-%m-%d")  # noqa: DTZ007
        return timezone.make_aware(read if " " in value else datetime.combine(read, day_time.max))
    except (ValueError, OverflowError):
        return None


def _is_moment(value: str) -> None:
    if moment(value) is None:
        raise ValidationError(_("Give a day such as 2026-11-30, with a time behind it if you like: 2026-11-30 18:00."))


ROWS = (
    Row("public_wechat_appid", _("AppID"), group=CONNECTION, check=_is_appid),
    Row("public_wechat_appsecret", _("AppSecret"), group=CONNECTION, check=_is_secret, secret=True),
    Row(
        "public_wechat_token",
        _("Token"),
        _("The token (令牌) of the server configuration page; it proves that a push comes from WeChat."),
        group=CONNECTION,
        check=_is_secret,
        secret=True,
    ),
    Row(
        "public_wechat_token_previous",
        _("Previous token"),
        _("While the token is being changed on both sides, both are accepted, until the day below."),
        group=CONNECTION,
        check=_is_secret,
        secret=True,
    ),
    Row(
        "public_wechat_token_previous_until",
        _("Previous token accepted until"),
        _("A day such as 2026-11-30. Empty: it is not accepted."),
        group=CONNECTION,
        check=_is_moment,
    ),
    Row(
        "public_wechat_aes_key",
        _("EncodingAESKey"),
        _("43 characters, the message encryption key of the same page. Needed in compatible and safe mode."),
        group=CONNECTION,
        check=_is_aes_key,
        secret=True,
    ),
    Row(
        "public_wechat_aes_key_previous",
        _("Previous EncodingAESKey"),
        _("WeChat goes on using the old key for a while after a change; both are accepted."),
        group=CONNECTION,
        check=_is_aes_key,
        secret=True,
    ),
    Row(
        "public_wechat_token_call",
        _("Access token call"),
        _("The stable call is the right one, unless other programs of the firm use the classic one."),
        group=CONNECTION,
        default=lambda: "stable",
        choices=(("stable", _("stable_token (recommended)")), ("get", _("token, GET")), ("post", _("token, POST"))),
    ),
    Row("public_wechat_accesstoken", _("Access token"), secret=True, editable=False),
    Row("public_wechat_accesstoken_expires", _("Access token valid until"), editable=False),
    Row("public_wechat_jsapi_ticket", _("Ticket of web pages"), secret=True, editable=False),
    Row("public_wechat_jsapi_ticket_expires", _("Ticket of web pages valid until"), editable=False),
    Row("wechat_setup_step", _("Step of connecting"), editable=False),  # wechat.admin.wizard; empty: connected,
)
