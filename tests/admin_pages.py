"""Pages of the admin of every kind, for the tests that look at many of them."""

from playwright.sync_api import Page

LISTS = [
    *("order", "scan", "priceplan"),
    *(
        "account",
        "rule",
        "menu",
        "material",
        "push",
        "outgoingmessage",
        "follower",
        "tag",
        "syncrun",
        "messagetemplate",
    ),
    *("sendjob", "unansweredtext", "qrcode", "channelcode", "notice", "apicall", "tokenrequest", "apikey", "brand"),
]
OF_ORDERS = {"order", "scan", "priceplan"}
FORMS = ["account", "rule", "menu", "order", "tag", "material", "brand", "priceplan", "channelcode", "apikey"]
PAGES = [
    *("", "wechat/rule/try/", "wechat/rule/lint/", "wechat/rule/transfer/"),
    *("wechat/account/doctor/", "wechat/account/quota/", "wechat/account/connect_new/", "auth/user/", "auth/user/add/"),
]


def path(model: str) -> str:
    """Where the list of that model is, below /admin/."""
    return f"{'orders' if model in OF_ORDERS else 'wechat'}/{model}/"


def first_row(page: Page) -> str | None:
    """The page of the first row of the list that is open; None when it is empty."""
    link = page.locator("#result_list tbody th a, #result_list tbody td a[href*='/change/']").first
    return link.get_attribute("href") if link.count() else None
