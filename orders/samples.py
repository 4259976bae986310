"""Believable quotes, plans, channel codes and an account for the demo. `manage.py demo` puts them into its own database."""

from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from simple_history.utils import bulk_create_with_history

from orders.models import Order, OrderItem, PlanItem, PricePlan
from wechat import channel_codes, conf
from wechat.models import Account, ChannelCode, Tag

SLUG = "demo"
ACCOUNT_NAME = "筑家装饰"

LINE = ("name", "note", "quantity", "unit", "amount")
QUOTES: tuple[dict[str, Any], ...] = (
    {
        "orderid": 20261101,
        "customer": "王女士",
        "room_area": Decimal("89.00"),
        "total_money": Decimal(86500),
        "saved_money": Decimal(12800),
        "items": (
            ("主体拆改", "拆旧、砌墙、清运", Decimal(1), "项", Decimal(7600)),
            ("水电改造", "全屋强弱电、给排水", Decimal(89), "㎡", Decimal(18900)),
            ("防水工程", "厨卫与阳台，闭水试验", Decimal("26.50"), "㎡", Decimal(4200)),
            ("瓷砖铺贴", "客餐厅与厨卫", Decimal(72), "㎡", Decimal(15800)),
            ("墙面乳胶漆", "环保底漆一遍、面漆两遍", Decimal(240), "㎡", Decimal(11600)),
            ("定制橱柜", "石英石台面", Decimal("5.20"), "米", Decimal(14400)),
            ("全屋灯具与五金", "", Decimal(1), "套", Decimal(14000)),
        ),
    },
    {
        "orderid": 20261102,
        "customer": "李先生",
        "room_area": Decimal("126.50"),
        "total_money": Decimal(158000),
        "saved_money": Decimal(23600),
        "items": (
            ("基础装修", "拆改、水电、防水、泥瓦", Decimal("126.50"), "㎡", Decimal(62000)),
            ("木作与吊顶", "客厅、餐厅、走道", Decimal(48), "㎡", Decimal(21800)),
            ("全屋定制", "衣柜、鞋柜、书柜", Decimal(32), "㎡", Decimal(46200)),
            ("实木复合地板", "卧室与书房", Decimal(64), "㎡", Decimal(28000)),
        ),
    },
    {
        "orderid": 20261103,
        "customer": "",
        "room_area": Decimal("52.30"),
        "total_money": Decimal("43860.50"),
        "saved_money": Decimal(5200),
        "items": (
            ("一居室翻新套餐", "不动水电，墙地面翻新", Decimal("52.30"), "㎡", Decimal("31360.50")),
            ("卫生间改造", "干湿分离", Decimal(1), "间", Decimal(12500)),
        ),
    },
)

PLAN_ITEM = ("name", "note", "amount", "market_amount", "per_area")
PLANS: tuple[dict[str, Any], ...] = (
    {
        "name": "焕新半包",
        "summary": "水电、泥瓦、油漆包工包辅料，主材自己选",
        "price": Decimal(599),
        "market_price": Decimal(690),
        "smallest": Decimal(20),
        "largest": Decimal(300),
        "quote_days": 30,
        "items": (
            ("拆旧与垃圾清运", "含搬运下楼", Decimal(3200), Decimal(4200), False),
            ("成品保护", "门窗、电梯间", Decimal(12), Decimal(15), True),
        ),
    },
    {
        "name": "安居全包",
        "summary": "主材、辅料、人工一价全含，四个月交付",
        "price": Decimal(899),
        "market_price": Decimal(1099),
        "smallest": Decimal(40),
        "largest": Decimal(260),
        "quote_days": 30,
        "items": (
            ("设计与效果图", "平面、立面与三张效果图", Decimal(4800), Decimal(6800), False),
            ("卫浴洁具", "马桶、花洒、浴室柜一套", Decimal(6900), Decimal(8600), False),
            ("竣工保洁", "", Decimal(8), Decimal(10), True),
        ),
    },
    {
        "name": "雅致整装",
        "summary": "全包之外，全屋定制柜与软装一步到位",
        "price": Decimal(1399),
        "market_price": Decimal(1680),
        "smallest": Decimal(60),
        "largest": Decimal(400),
        "quote_days": 15,
        "items": (
            ("全屋定制柜", "衣柜、橱柜、鞋柜，环保E0级", Decimal(38800), Decimal(46500), False),
            ("软装与灯具", "窗帘、灯具一套", Decimal(12600), Decimal(15800), False),
            ("空气检测与治理", "交付前由第三方检测", Decimal(2600), Decimal(3500), False),
        ),
    },
)

CHANNELS: tuple[dict[str, Any], ...] = (
    {"scene": "spring_2026", "name": "春季焕新节", "campaign": "春季焕新节", "note": "四月小区展架与海报"},
    {
        "scene": "sales_xiaoli",
        "name": "小李的名片",
        "purpose": "sales",
        "salesperson": "小李",
        "campaign": "老客户介绍",
    },
)


def seed(*, appid: str, appsecret: str, token: str, aes_key: str, original_id: str, password: str) -> None:
    """Create, or set right, the demo's account, its quotes, and the staff login `admin`."""
    account, _created = Account.objects.update_or_create(
        slug=SLUG, defaults={"name": ACCOUNT_NAME, "original_id": original_id, "mode": Account.Mode.SAFE}
    )
    values = {
        "public_wechat_appid": appid,
        "public_wechat_appsecret": appsecret,
        "public_wechat_token": token,
        "public_wechat_aes_key": aes_key,
        "wechat_welcome_text": "您好，欢迎关注筑家装饰！扫码获取的报价会自动发到这里，点开即可查看和分享。",
        "wechat_default_reply": "已收到您的消息，我们的设计师会尽快回复您。",
    }
    conf.save(account, values)
    _quotes(account)
    _plans(account)
    _channels(account)
    user, _created = get_user_model().objects.get_or_create(
        username="admin", defaults={"is_staff": True, "is_superuser": True}
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save()


def _quotes(account: Account) -> None:
    for quote in QUOTES:
        fields = {name: value for name, value in quote.items() if name not in ("orderid", "items")}
        order, created = Order.objects.get_or_create(orderid=quote["orderid"], defaults={"account": account, **fields})
        if created:
            lines = (dict(zip(LINE, line, strict=True)) for line in quote["items"])
            items = [OrderItem(order=order, position=number, **line) for number, line in enumerate(lines)]
            bulk_create_with_history(items, OrderItem)


def _plans(account: Account) -> None:
    for position, plan in enumerate(PLANS):
        fields = {name: value for name, value in plan.items() if name not in ("name", "items")}
        made, created = PricePlan.objects.get_or_create(
            account=account, name=plan["name"], defaults={**fields, "position": position}
        )
        for number, line in enumerate(plan["items"] if created else ()):
            PlanItem.objects.create(plan=made, position=number, **dict(zip(PLAN_ITEM, line, strict=True)))


def _channels(account: Account) -> None:
    for channel in CHANNELS:
        fields = {name: value for name, value in channel.items() if name != "scene"}
        if fields.get("purpose") != ChannelCode.Purpose.SALES:
            fields["tag"] = Tag.objects.get_or_create(account=account, name=channel["name"])[0]
        code, created = ChannelCode.objects.get_or_create(account=account, scene=channel["scene"], defaults=fields)
        if created:
            channel_codes.plan(code)
