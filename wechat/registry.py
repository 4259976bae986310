"""The registry of configuration rows: every conf_name with its default, its check, its help text, whether it is a secret."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat import crypto


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


def is_link(value: str) -> None:
    """Raise ValidationError unless `value` is a whole http or https address; placeholders may stand in it."""
    try:
        parts = urlsplit(value.replace("##", ""))
        whole = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # an unclosed [ of an IPv6 address
        whole = False
    if not whole or re.search(r"[\s\"'<>\\]", value):
        raise ValidationError(_("Give a full address that starts with https://."))


def _is_validity(value: str) -> None:
    if not (value.isascii() and value.isdigit() and 30 <= int(value) <= 2_592_000):
        raise ValidationError(_("A temporary code is valid for 30 to 2,592,000 seconds (30 days)."))


def _is_days(value: str) -> None:
    if not (re.fullmatch("[0-9]{1,5}", value) and int(value) <= 36_500):
        raise ValidationError(_("Give a whole number of days; 0 keeps for ever."))


@dataclass(frozen=True)
class Row:
    """One row of the registry. `default` is used while the row is absent or empty."""

    name: str
    label: str | Promise
    help: str | Promise = ""
    default: Callable[[], str] = str
    check: Callable[[str], None] | None = None
    secret: bool = False
    editable: bool = True
    multiline: bool = False
    choices: tuple[tuple[str, str | Promise], ...] = ()
    group: str | Promise = ""

    def clean(self, value: str) -> str:
        """`value` as it may be stored. Raises ValidationError with what to do instead."""
        value = value.strip()
        if value and self.check:
            self.check(value)
        if value and self.choices and value not in dict(self.choices):
            raise ValidationError(_("Choose one of: %s.") % ", ".join(key for key, _label in self.choices))
        return value


CONNECTION, CARD, TEXTS, RETENTION = _("Connection"), _("Quote card"), _("Texts"), _("Retention")

ROWS: Mapping[str, Row] = {
    row.name: row
    for row in (
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
        Row("wechat_setup_step", _("Step of connecting"), editable=False),  # wechat.admin.wizard; empty: connected
        Row(
            "wechat_message_title",
            _("Card title"),
            group=CARD,
            default=lambda: settings.WECHAT_MESSAGE_TITLE,
        ),
        Row(
            "wechat_message_brief",
            _("Card text"),
            _("Placeholders: ##ROOMAREA## ##TOTALBUDGET## ##MARKETBUDGET## ##SAVEMONEY## ##CUSTOMER## ##ORDERID##"),
            group=CARD,
            default=lambda: settings.WECHAT_MESSAGE_BRIEF,
            multiline=True,
        ),
        Row(
            "wechat_message_picurl",
            _("Card picture"),
            _("Address of a JPG or PNG, 900 × 500 pixels for example."),
            group=CARD,
            default=lambda: settings.WECHAT_MESSAGE_PICURL,
            check=is_link,
        ),
        Row(
            "wechat_redirect_url_pre",
            _("Card link"),
            _(
                "Empty: our own page of the shared quote, which shows neither openid nor order number. "
                "Your own page may use ##OPENID## ##ORDERID## ##SHARECODE##."
            ),
            group=CARD,
            default=lambda: settings.WECHAT_REDIRECT_URL_PRE,
            check=is_link,
        ),
        Row(
            "wechat_qr_expire_seconds",
            _("Validity of a code (seconds)"),
            group=CARD,
            default=lambda: str(settings.WECHAT_QR_EXPIRE_SECONDS),
            check=_is_validity,
        ),
        Row("wechat_welcome_text", _("Welcome text"), _("Sent to everybody who follows."), group=TEXTS, multiline=True),
        Row(
            "wechat_welcome_keyword",
            _("Welcome by a rule"),
            _("A keyword: the reply rule that it finds welcomes instead of the text."),
            group=TEXTS,
        ),
        Row(
            "wechat_default_reply",
            _("Default reply"),
            _("Answer to a message that nothing else answers. Empty: no answer."),
            group=TEXTS,
            multiline=True,
        ),
        Row(
            "wechat_default_keyword",
            _("Default reply by a rule"),
            _("A keyword: the reply rule that it finds answers instead of the text."),
            group=TEXTS,
        ),
        Row(
            "wechat_unknown_order_text",
            _("Text for an unknown quote"),
            _("Answer to the scan of a code whose quote does not exist any more."),
            group=TEXTS,
            default=lambda: "抱歉，没有找到这份报价，它可能已被删除。请联系我们的客服，或在网页上重新获取报价。",
            multiline=True,
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
            _(
                "Follows, scans, menu taps and reports of the platform. The scans of a quote stay. Empty or 0: for ever."
            ),
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
            "wechat_keep_unanswered_days",
            _("Keep unanswered texts (days)"),
            _("Counted from the last time somebody wrote it. Empty or 0: for ever."),
            group=RETENTION,
            check=_is_days,
        ),
    )
}
