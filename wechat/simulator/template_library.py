"""What templates are made of: the platform's library, from which an account picks keywords, and a template as picked.

Source: wechat-api.md, sections 7.3, 7.4 and 8.1. Numbers, titles and keywords are made up.
"""

import base64
import hashlib
from dataclasses import dataclass

ONE_TIME, LONG_TERM = 2, 3  # kinds of subscription notices: one consent for one message, or for all


@dataclass(frozen=True)
class Keyword:
    """One field. `rule` is the type of its values, `choices` are the constants approved for it."""

    number: int
    name: str
    rule: str
    example: str
    choices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The field's name in `data`, such as thing1."""
        return f"{self.rule}{self.number}"


@dataclass(frozen=True)
class Entry:
    """One entry of the library."""

    number: str
    title: str
    keywords: tuple[Keyword, ...]
    kind: int = ONE_TIME


@dataclass(frozen=True)
class Template:
    """An entry of the library as an account picked it. `scene` is what a subscription template was wanted for."""

    id: str
    title: str
    keywords: tuple[Keyword, ...]
    kind: int = ONE_TIME
    scene: str = ""

    @property
    def content(self) -> str:
        """Labels and placeholders, one field a line."""
        return "".join(f"{keyword.name}:{{{{{keyword.key}.DATA}}}}\n" for keyword in self.keywords)

    @property
    def example(self) -> str:
        """Labels and sample values, one field a line."""
        return "".join(f"{keyword.name}:{keyword.example}\n" for keyword in self.keywords)


def template_id(*parts: object) -> str:
    """43 characters that are the same for the same parts, and that differ between accounts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def keyword_of(entry: Entry, name: object) -> Keyword | None:
    """The keyword of this name or, for a number, of this number."""
    return next((keyword for keyword in entry.keywords if name in (keyword.name, keyword.number)), None)


STATES = ("待确认", "已确认", "施工中", "已完成", "已取消")
LIBRARY = {  # of template messages, by template_id_short
    entry.number: entry
    for entry in (
        Entry(
            "47123",
            "报价生成通知",
            (
                Keyword(1, "项目名称", "thing", "整装报价"),
                Keyword(2, "报价金额", "amount", "86500.00元"),
                Keyword(3, "生成时间", "time", "2026年1月5日 15:01"),
                Keyword(4, "房屋面积", "number", "89"),
                Keyword(5, "备注", "thing", "点击查看明细"),
            ),
        ),
        Entry(
            "48210",
            "订单状态变更通知",
            (
                Keyword(1, "订单编号", "character_string", "BJ20260105-01"),
                Keyword(2, "订单状态", "const", "已确认", STATES),
                Keyword(3, "变更时间", "time", "2026年1月5日 15:01"),
                Keyword(4, "变更内容", "thing", "优惠金额已更新"),
            ),
        ),
        Entry(
            "43916",
            "预约上门量房通知",
            (
                Keyword(1, "客户姓名", "name", "王女士"),
                Keyword(2, "预约时间", "time", "2026年1月8日 09:00~11:00"),
                Keyword(3, "服务地址", "thing", "人民大道一号"),
                Keyword(4, "联系电话", "phone_number", "021-12345678"),
            ),
        ),
        Entry(
            "50331",
            "付款成功通知",
            (
                Keyword(1, "付款项目", "phrase", "首期款"),
                Keyword(2, "付款金额", "amount", "¥30000.00"),
                Keyword(3, "付款日期", "date", "2026年1月9日"),
                Keyword(4, "收据编号", "letter", "SJA"),
                Keyword(5, "评价", "symbol", "★★★★★"),
                Keyword(6, "车牌号", "car_number", "粤A8Z888挂"),
            ),
        ),
    )
}
PRELOADED = ("47123", "48210", "43916")  # what every account starts with
PRELOADED_KEYWORDS = 4  # of each of them

CATEGORIES = {616: "装修", 617: "家居用品"}
SUBSCRIPTION_LIBRARY = {  # of subscription notices, by tid
    entry.number: entry
    for entry in (
        Entry(
            "401",
            "报价更新提醒",
            (
                Keyword(1, "项目名称", "thing", "整装报价"),
                Keyword(2, "最新金额", "amount", "86500.00元"),
                Keyword(3, "更新时间", "time", "2026年1月5日 15:01"),
                Keyword(4, "客户姓名", "name", "王女士"),
                Keyword(5, "温馨提示", "thing", "点击查看明细"),
            ),
        ),
        Entry(
            "402",
            "施工进度通知",
            (
                Keyword(1, "工地地址", "thing", "人民大道一号"),
                Keyword(2, "当前进度", "phrase", "水电改造"),
                Keyword(3, "日期", "date", "2026年1月9日"),
                Keyword(4, "状态", "const", "施工中", STATES),
            ),
            kind=LONG_TERM,
        ),
    )
}
