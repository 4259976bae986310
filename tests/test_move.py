"""From SQLite to PostgreSQL by one command, while pushes come in: every row arrives, and no push is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import requests
from callback import TOKEN, event
from installation import SERVER, Installation, has_server, postgres

from wechat import crypto

pytestmark = pytest.mark.skipif(not has_server(), reason="no PostgreSQL answers")

FILL = f"""
from django.core.management import call_command
call_command("migrate", verbosity=0)
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from django.contrib.auth.models import User
from orders.models import Order
from wechat.models import *
from wechat import conf
now = timezone.now()
demo = Account.objects.create(slug="demo")
conf.save(demo, {{"public_wechat_appid": "wx0123456789abcdef", "public_wechat_appsecret": "the-secret-of-the-account",
                 "public_wechat_token": "{TOKEN}"}})
boss = User.objects.create_superuser("boss", password="a-long-password")
Membership.objects.create(user=boss, account=demo)
Push.objects.bulk_create(Push(account=demo, key=f"k{{n}}", received_at=now - timedelta(days=n % 300), openid="o", kind="text",
                              raw="<xml>报价 👍🏽</xml>") for n in range(5000))
Push.objects.filter(key="k4999").delete()
for state in ("waiting", "owed", "sent"):
    OutgoingMessage.objects.create(account=demo, openid="o", purpose="card", state=state, created_at=now, due_at=now,
        content={{"text": "a\\0b\\\\u0000", "n": 1.5}}, expires_at=now + timedelta(hours=1), error="x\\0y")
order = Order.objects.create(account=demo, orderid=77, total_money=Decimal("56000.10"))
Order.objects.filter(pk=order.pk).update(created_at=now - timedelta(days=9))
Lease.objects.create(name="worker:gone", holder="x", until=now - timedelta(hours=1))
"""
TOLD = """
from django.contrib.auth.models import User
from django.forms.models import model_to_dict
from orders.models import Order
from wechat.models import *
from wechat import conf
order = Order.objects.get()
told = {"pushes": Push.objects.exclude(kind="view").count(), "raw": Push.objects.first().raw, "order": str(order.total_money),
        "created": order.created_at.isoformat(), "boss": User.objects.get().check_password("a-long-password"),
        "states": sorted(OutgoingMessage.objects.values_list("state", flat=True)),
        "content": OutgoingMessage.objects.first().content, "error": OutgoingMessage.objects.first().error,
        "secret": conf.account("demo").get("public_wechat_appsecret"), "history": Order.history.count(),
        "rights": User.objects.get().memberships.count()}
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """On SQLite, with some of everything."""
    one = Installation(tmp_path_factory.mktemp("installation"))
    one.run(FILL)
    return one


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """An empty PostgreSQL database."""
    with ExitStack() as stack:
        yield stack.enter_context(postgres())


class WeChat:
    """Pushes one message after the other, each again and again until it is answered 200, as the platform does."""

    def __init__(self) -> None:
        self.url, self.told, self.lost, self.errors = "", [], [], 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "WeChat":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            name = f"https://example.com/{number}"
            pushed = event("VIEW", created=int(time.time()) - 10_000_000 + number, EventKey=name)
            (self.told if self._push(pushed, number) else self.lost).append(name)
            time.sleep(0.02)

    def _push(self, pushed: str, number: int) -> bool:
        """At once, and after 5 and 10 s."""
        for wait in (0, 5, 5):
            if self._stop.wait(wait):
                return False
            stamp, nonce = str(int(time.time())), f"n{number}{time.time_ns()}"
            query = {"timestamp": stamp, "nonce": nonce, "signature": crypto.sign(TOKEN, stamp, nonce)}
            try:
                answer = requests.post(
                    f"{self.url}/wechat/demo/callback", params=query, data=pushed.encode(), timeout=5
                )
            except requests.RequestException:
                self.errors += 1
                continue
            if answer.status_code == 200:
                return True
            self.errors += 1
        return False


def test_everything_moves_while_pushes_come_in_and_none_is_lost(filled: Installation, target: str) -> None:
    before = filled.run(TOLD)
    moved = Installation(filled.folder, target)  # the same disk: the same spool and files
    with WeChat() as wechat:
        with filled.site() as wechat.url:
            time.sleep(1)
            said = filled.done("move", "-", told=target)
            assert "Restart the site" in said
            time.sleep(1)  # until somebody does: what comes is kept in the spool
            during, lost = len(wechat.told), [*wechat.lost]
        with moved.site() as wechat.url:
            time.sleep(2)
    assert during > 20
    assert lost == []
    moved.run("from wechat import spool\nwhile spool.drain(): pass")  # as the worker does every second
    with psycopg.connect(target) as database:
        views = database.execute("SELECT raw FROM wechat_push WHERE kind = 'view'").fetchall()
    for name in wechat.told:
        assert sum(f"{name}]" in raw for (raw,) in views) == 1, name
    after = moved.run(TOLD)
    assert after == {**before, "content": {"text": "ab\\u0000", "n": 1.5}, "error": "xy"}
    assert before["pushes"] == 4999


def test_new_rows_go_on_counting_where_the_old_ones_were(filled: Installation, target: str) -> None:
    (last,) = filled.query("SELECT seq FROM sqlite_sequence WHERE name = 'orders_order'")[0]
    with psycopg.connect(target) as database:
        for table in ("orders_order", "wechat_push", "wechat_outgoingmessage", "auth_user", "django_content_type"):
            (number,) = database.execute(f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))").fetchone()  # type: ignore[misc]
            (highest,) = database.execute(f"SELECT max(id) FROM {table}").fetchone()  # type: ignore[misc]
            assert number > highest, table
            assert table != "orders_order" or number == last + 1


def test_what_has_moved_takes_nothing_any_more_until_it_is_told_to(filled: Installation, target: str) -> None:
    done = filled.manage("move", target)
    assert done.returncode == 1
    assert "moved already" in done.stderr
    assert filled.manage("apikey", "x", "--scope", "token").returncode != 0
    assert "again" in filled.done("move", "--undo")
    assert filled.query("SELECT count(*) FROM sqlite_master WHERE name LIKE 'wxhub_move%'") == [(0,)]
    done = filled.manage("move", target)
    assert "not empty" in done.stderr
    assert filled.query("SELECT count(*) FROM sqlite_master WHERE name LIKE 'wxhub_move%'") == [(0,)]


def test_it_refuses_in_words(filled: Installation, target: str, tmp_path: Path) -> None:
    for arguments, why in (
        ((target, "--undo"), "Say where to"),
        (("mysql://u:the-password@127.0.0.1/x",), "postgres://"),
        (("postgres://u:the-password@127.0.0.1:9/x",), "does not answer"),
    ):
        done = filled.manage("move", *arguments)
        assert done.returncode == 1
        assert why in done.stderr
        assert "the-password" not in done.stdout + done.stderr
    filled.run("from wechat import leases\nleases.claim('worker:x', 'x', 60)")
    done = filled.manage("move", f"{SERVER.rpartition('/')[0]}/postgres")
    filled.run("from wechat import leases\nleases.release('worker:x')")
    assert "Stop all workers" in done.stderr
    done = Installation(tmp_path / "none").manage("move", target)
    assert "There is no database" in done.stderr
