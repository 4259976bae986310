"""A quote becomes the card that WeChat shows: title, text, picture and link, out of the account's texts."""

from decimal import Decimal
from functools import cache
from urllib.parse import quote as percent_encoded

from django.conf import settings
from django.urls import reverse

from orders.models import Figures
from wechat.conf import AccountConfig
from wechat.placeholders import substitute
from wechat.replies import Article, News


def card_for(quote: Figures, account: AccountConfig, *, openid: str, code: str) -> News:
    """The card of a quote for the person `openid`; `code` is the one of the link he gets."""
    values = placeholders(quote)
    article = Article(
        title=substitute(account.get("wechat_message_title"), values),
        description=substitute(account.get("wechat_message_brief"), values),
        url=link_for(account, orderid=quote.orderid, openid=openid, code=code),
        picurl=account.get("wechat_message_picurl"),
    )
    return News((article,))


def link_for(account: AccountConfig, *, orderid: int, openid: str, code: str) -> str:
    """What the card opens: our shared page, or the firm's own address with its placeholders filled and encoded."""
    template = account.get("wechat_redirect_url_pre")
    if not template:
        return shared_link(code)
    values = {"OPENID": openid, "ORDERID": str(orderid), "SHARECODE": code}
    return substitute(template, {name: percent_encoded(value, safe="") for name, value in values.items()})


def shared_link(code: str) -> str:
    """The address of the shared page that belongs to `code`."""
    return _shared_link_around().format(code)


@cache  # finding the route costs more than the rest of the card
def _shared_link_around() -> str:
    return settings.PUBLIC_URL + reverse("shared", args=["CODE"]).replace("CODE", "{}")


def placeholders(quote: Figures) -> dict[str, str]:
    """The placeholders of a quote's texts. Money in yuan, the built area in whole m² (rows A-87 … A-90)."""
    return {
        "ROOMAREA": "" if quote.built_area is None else str(quote.built_area),
        "TOTALBUDGET": money(quote.total),
        "MARKETBUDGET": money(quote.market),
        "SAVEMONEY": money(quote.saved),
        "CUSTOMER": quote.customer,
        "ORDERID": str(quote.orderid),
    }


def money(amount: Decimal) -> str:
    """`56000.00` as `56000`, `56000.50` as it is: whole yuan need no cents."""
    whole = amount.to_integral_value()
    return str(int(whole)) if amount == whole else f"{amount:.2f}"
