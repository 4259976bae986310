"""A great many pushes with what belongs to them, written as fast as the database takes them: COPY, or one long transaction.

What the pages must answer in time is all there: a common kind and a rare one without any row, an account with few rows and
one with none, rules that answered often, long ago or never, quotes without scans, people without pushes.
"""

import io
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from bench import pushes
from orders.models import Order, Scan
from wechat.models import Account, Follower, OutgoingMessage, Push, Rule

ACCOUNTS = ("big", "branch", "safe", "small", "empty")
SMALL, PEOPLE, ORDERS, RULES, DAYS = 40, 50_000, 2_000, 200, 180
ORDERID = 20_000_000  # of the first quote; the last of them has no scans
OLD_RULE, UNUSED_RULE = RULES - 1, RULES
KINDS = {"text": 38, "qr": 22, "trace": 22, "subscribe": 9, "unsubscribe": 3, "click": 4, "image": 1.4, "voice": 0.6}
WORDS = (
    "请问报价多少",
    "你们在哪里",
    "营业时间是几点",
    "装修需要多久",
    "可以便宜一点吗",
    "发一下案例",
    "水电多少钱一平米",
    "谢谢",
)
NEWS = (
    "<xml><ToUserName><![CDATA[{openid}]]></ToUserName><FromUserName><![CDATA[gh_0a1b2c3d4e5f]]></FromUserName>"
    "<CreateTime>{second}</CreateTime><MsgType><![CDATA[news]]></MsgType><ArticleCount>1</ArticleCount><Articles><item>"
    "<Title><![CDATA[您的装修报价已生成]]></Title><Description>"
    "<![CDATA[建筑面积约 111 ㎡，报价 86500 元，为您节省 12800 元。]]></Description>"
    "<PicUrl><![CDATA[https://example.com/card.png]]></PicUrl><Url><![CDATA[https://example.com/quotes]]></Url></item></Articles></xml>"
)
TRACEBACK = (
    "Traceback (most recent call last):\n" + '  File "handlers.py", line 1, in answer\n    …\n' * 30 + "KeyError: 'x'"
)


def openid(number: int) -> str:
    """The person of that number."""
    return f"oBENCH{number:022d}"


def make(count: int) -> None:
    """Make `count` pushes and what belongs to them."""
    for slug in ACCOUNTS:
        options = {"appid": pushes.APPID, "appsecret": "s" * 32, "token": pushes.TOKEN, "aes_key": pushes.AES_KEY}
        call_command("account", slug, original_id=pushes.ORIGINAL_ID, stdout=io.StringIO(), **options)
    accounts = {account.slug: account.pk for account in Account.objects.all()}
    now = timezone.now()
    Rule.objects.bulk_create(
        Rule(account_id=accounts["big"], name=f"规则 {n}", keywords=[{"kind": "exact", "text": f"词 {n}"}])
        for n in range(1, RULES + 1)
    )
    Order.objects.bulk_create(
        Order(account_id=accounts["big"], orderid=ORDERID + n, customer="王女士", room_area=89, total_money=86500)
        for n in range(ORDERS)
    )
    person = {"account_id": accounts["big"], "first_seen": now, "last_seen": now}
    Follower.objects.bulk_create((Follower(openid=openid(n), **person) for n in range(PEOPLE)), batch_size=2000)
    first = Rule.objects.order_by("pk").values_list("pk", flat=True)[0]
    rows = _Rows(count, accounts, first, Order.objects.order_by("pk").values_list("pk", flat=True)[0], now)
    write(Push, rows.pushes())
    write(OutgoingMessage, rows.messages())
    write(Scan, rows.scans())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does within minutes


class _Rows:
    """The rows, one after the other, the same in every run."""

    def __init__(self, count: int, accounts: dict[str, int], rule: int, order: int, now: datetime) -> None:
        self.count, self.accounts, self.rule, self.order, self.now = count, accounts, rule, order, now
        self.scanned: list[tuple[int, datetime, str]] = []
        self.choose = random.Random(7)
        self.kinds = self.choose.choices(list(KINDS), list(KINDS.values()), k=count)

    def pushes(self) -> Iterator[dict[str, Any]]:
        for number, kind in enumerate(self.kinds, start=1):
            received = self.now - timedelta(days=DAYS) * ((self.count - number) / self.count) - timedelta(seconds=60)
            slug = self._account(number)
            row = {
                "id": number,
                "account_id": self.accounts[slug],
                "key": f"{self.choose.getrandbits(256):064x}",
                "nonce_key": None if slug == "safe" else f"{self.accounts[slug]}:{int(received.timestamp())}:{number}",
                "received_at": received,
                "openid": openid(self.choose.randrange(PEOPLE)),
                "kind": "annual_renew" if number == 1 else kind,
                "encrypted": slug == "safe",
                "milliseconds": self.choose.randrange(2, 40),
                "repeats": int(number % 500 == 0),
            }
            if kind == "qr" and slug == "big":
                self.scanned.append((number, received, row["openid"]))
            yield {**row, **self._fate(number, kind, slug, row["openid"]), "raw": self._body(number, row, kind)}

    def _account(self, number: int) -> str:
        if number <= SMALL:
            return "small"
        return "safe" if number % 100 == 0 else "branch" if number % 5 == 0 else "big"

    def _fate(self, number: int, kind: str, slug: str, person: str) -> dict[str, Any]:
        fate = {"state": "done", "answer": "", "answered_by": "", "rule_id": None, "error": ""}
        if number % 2000 == 1999:
            return {**fate, "state": "failed", "error": TRACEBACK}
        if kind not in ("text", "voice", "click"):
            return fate if kind in ("qr", "subscribe", "unsubscribe") else {**fate, "state": "nothing"}
        luck = self.choose.random()
        if luck > 0.7 or slug != "big":
            silent = luck > 0.9
            return {**fate, "state": "nothing"} if silent else {**fate, "answered_by": "handler"}
        if luck > 0.6:
            return {**fate, "answer": NEWS.format(openid=person, second=number), "answered_by": "default"}
        rule = OLD_RULE if number < self.count / 100 else min(int(self.choose.paretovariate(1)), RULES - 2)
        answer = NEWS.format(openid=person, second=number)
        return {**fate, "answer": answer, "answered_by": "rule", "rule_id": self.rule + rule - 1}

    def _body(self, number: int, row: dict[str, Any], kind: str) -> str:
        rest = {
            "text": f"<Content><![CDATA[{self.choose.choice(WORDS)}？{number}]]></Content><MsgId>{number}</MsgId>",
            "voice": f"<MediaId><![CDATA[{'m' * 64}]]></MediaId><Format>amr</Format><MsgId>{number}</MsgId>",
            "image": f"<PicUrl><![CDATA[https://mmbiz.qpic.cn/{'p' * 90}]]></PicUrl><MsgId>{number}</MsgId>",
        }
        events = {
            "qr": f"<Event>SCAN</Event><EventKey>{ORDERID + number % (ORDERS - 1)}</EventKey><Ticket>{'t' * 96}</Ticket>",
            "trace": "<Event>LOCATION</Event><Latitude>31.2</Latitude><Longitude>121.4</Longitude><Precision>60</Precision>",
            "click": "<Event>CLICK</Event><EventKey><![CDATA[PRICES]]></EventKey>",
        }
        inner = rest.get(kind) or events.get(kind) or f"<Event>{kind}</Event><EventKey></EventKey>"
        return (
            f"<xml><ToUserName><![CDATA[{pushes.ORIGINAL_ID}]]></ToUserName>\n"
            f"<FromUserName><![CDATA[{row['openid']}]]></FromUserName>\n"
            f"<CreateTime>{int(row['received_at'].timestamp())}</CreateTime>\n"
            f"<MsgType><![CDATA[{kind if kind in rest else 'event'}]]></MsgType>\n{inner}\n</xml>"
        )

    def messages(self) -> Iterator[dict[str, Any]]:
        content = {"kind": "text", "content": "您的装修报价已生成"}
        for number, (push_id, received, person) in enumerate(self.scanned, start=1):
            yield {
                "id": number,
                "account_id": self.accounts["big"],
                "openid": person,
                "purpose": "quote",
                "about": str(ORDERID + push_id % (ORDERS - 1)),
                "content": content,
                "push_id": push_id,
                "route": "customer_service",
                "state": "owed" if number % 1000 == 0 else "sent",
                "attempts": 1,
                "unknown_outcomes": 0,
                "created_at": received,
                "due_at": received,
                "expires_at": received,
                "holder": "",
                "sent_at": received,
                "errcode": 0,
                "error": "",
            }

    def scans(self) -> Iterator[dict[str, Any]]:
        for number, (push_id, received, person) in enumerate(self.scanned, start=1):
            yield {
                "push_id": push_id,
                "order_id": self.order + push_id % (ORDERS - 1),
                "account_id": self.accounts["big"],
                "openid": person,
                "scene": str(ORDERID + push_id % (ORDERS - 1)),
                "ticket": "t" * 96,
                "kind": "scan",
                "secret": "s" * 22,
                "revoked": False,
                "message_id": number,
                "scanned_at": received,
            }


def write(model: type[models.Model], rows: Iterable[dict[str, Any]]) -> None:
    """Insert these rows, by attribute name, past the ORM."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    by_name = {field.attname: field for field in model._meta.local_concrete_fields}
    fields = [by_name[name] for name in first]
    values = ([field.get_db_prep_save(row[field.attname], connection) for field in fields] for row in _and(first, rows))
    columns = ", ".join(str(connection.ops.quote_name(str(field.column))) for field in fields)
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        _in_one_transaction(
            f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({', '.join('?' * len(fields))})", values
        )
    else:
        _copy(model, columns, values)


def _and(first: Any, rest: Iterable[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _in_one_transaction(statement: str, values: Iterable[Sequence[Any]]) -> None:
    database = connection.connection
    own = not database.in_transaction
    if own:
        database.execute("BEGIN")
    database.executemany(statement, values)
    if own:
        database.execute("COMMIT")


def _copy(model: type[models.Model], columns: str, values: Iterable[Sequence[Any]]) -> None:
    table, key = model._meta.db_table, model._meta.pk
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
        if key is not None and key.name == "id":
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
