"""What people read: the quote card, the card of a forward, the texts of the account."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from wechat.registry.row import Row, is_link

CARD = _("Quote card")
SHARING = _("Sharing")
TEXTS = _("Texts")


def _is_validity(value: str) -> None:
    if not (value.isascii() and value.isdigit() and 30 <= int(value) <= 2_592_000):
        raise ValidationError(_("A temporary code is valid for 30 to 2,592,000 seconds (30 days)."))


ROWS = (
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
    Row(
        "wechat_share_title",
        _("Title when shared"),
        _("Placeholders: ##ROOMAREA## ##TOTALBUDGET## ##MARKETBUDGET## ##SAVEMONEY## ##NICKNAME## ##ACCOUNT##"),
        group=SHARING,
        default=lambda: "装修报价：总价 ##TOTALBUDGET## 元",
    ),
    Row(
        "wechat_share_brief",
        _("Text when shared"),
        _("The same placeholders. ##NICKNAME## is the owner's nickname, if he agreed to show it."),
        group=SHARING,
        default=lambda: "来自 ##ACCOUNT##。点开看明细，也可以和你的报价对比一下。",
        multiline=True,
    ),
    Row(
        "wechat_share_picurl",
        _("Picture when shared"),
        _("Address of a square JPG or PNG, 300 × 300 pixels for example."),
        group=SHARING,
        default=lambda: f"{settings.PUBLIC_URL}/static/img/share.png",
        check=is_link,
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
        "wechat_short_code_text",
        _("Text for a wrong short code"),
        _(
            "Answer to eight digits that stand for no quote, or for none any more; and to who tries too often. "
            "The quote page shows them where no QR code can be made."
        ),
        group=TEXTS,
        default=lambda: "抱歉，这组数字不正确，或者已经使用过、已经过期。请在报价页面查看新的数字，再发送一次。",
        multiline=True,
    ),
    Row(
        "wechat_try_again_text",
        _("Text when nothing can be stored"),
        _("Answer while neither the database nor the disk takes what a person sends, which should never happen."),
        group=TEXTS,
        default=lambda: "抱歉，系统正忙。请稍等一分钟，重新扫码或再发送一次。",
        multiline=True,
    ),
)
