"""What all tests share: an environment that is the same everywhere, the account `demo`, signed pushes, the simulator.

SQLite in a file of its own by default; PostgreSQL with TEST_DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres.
"""

import atexit
import importlib
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from browsing import admin, chromium, demo_alone, running, signed_in, window
from callback import AES_KEY, APPID, ORIGINAL_ID, PREVIOUS_AES_KEY, SECRET, TOKEN, Callback
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings
from public_pages import pages

from orders import watching
from orders.models import Order
from wechat import calls, circuit, conf, credentials, qr, rules, sightings
from wechat.conf import AccountConfig
from wechat.models import Account, Lease, Membership
from wechat.simulator.accounts import Account as Registration
from wechat.simulator.server import SimulatorServer
from wechat.simulator.state import Platform

__all__ = ["admin", "chromium", "demo_alone", "pages", "running", "signed_in", "window"]  # fixtures

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_FILES = Path(tempfile.mkdtemp(prefix="wxhub-tests-"))
_ENVIRONMENT = {  # an empty value stands for none, and keeps a developer's .env out
    "DEBUG": "true",
    "SECRET_KEY": "a-key-for-the-tests-only-0123456789-abcdefghij",
    "FIELD_KEYS": "dGVzdHMtb25seS1maWVsZC1rZXktb2YtMzItYnl0ZXM=",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{_FILES / 'wxhub.sqlite3'}",
    "REDIS_URL": "",
    "MEDIA_ROOT": str(_FILES / "media"),
    "SQLITE_SYNCHRONOUS": "OFF",
    "TRUSTED_PROXIES": "0",
    "FRAME_ANCESTORS": "",
    "EMAIL_URL": "",
    "DEFAULT_FROM_EMAIL": "",
    "LOG_LEVEL": "INFO",
}


def _configure() -> None:
    """Read the settings again: pytest-django reads them before any conftest, in whatever environment it finds."""
    for name in [name for name in os.environ if name.startswith("WECHAT_")]:
        del os.environ[name]
    os.environ.update(_ENVIRONMENT)
    fresh = importlib.reload(importlib.import_module("wxhub.settings"))
    for name in filter(str.isupper, dir(fresh)):
        setattr(django_settings, name, getattr(fresh, name))
    django_settings.STATIC_ROOT = _FILES
    for connection in connections.all(initialized_only=True):
        connection.close()
        del connections[connection.alias]
    vars(connections).pop("settings", None)
    connections._settings = None


_configure()
atexit.register(shutil.rmtree, _FILES, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """A database of this very process: several runs at once must not meet. Threads need a file, not a memory."""
    default = connections.settings["default"]
    sqlite = default["ENGINE"].endswith("sqlite3")
    default["TEST"]["NAME"] = str(_FILES / "test.sqlite3") if sqlite else f"test_wxhub_{os.getpid()}"


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Connections go to this machine only."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def check(address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else "localhost"
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise OSError(f"a test wanted to reach {host}")

    def guarded(original: Any) -> Any:
        def call(self: socket.socket, address: Any) -> Any:
            check(address)
            return original(self, address)

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        yield


@pytest.fixture(scope="session", autouse=True)
def _kept_connections() -> Iterator[None]:
    """Requests and workers drop old connections; not the one that holds the test's own transaction."""
    drop = BaseDatabaseWrapper.close_if_unusable_or_obsolete

    def keep(self: BaseDatabaseWrapper) -> None:
        if not self.in_atomic_block:
            drop(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", keep)
        yield


@pytest.fixture(autouse=True)
def _fresh_memory() -> None:
    """What the processes remember between two requests, forgotten between two tests."""
    conf.forget()
    calls.IN_BACKGROUND = False  # a thread would wait for the lock that the test's own transaction holds
    calls.forget()
    credentials.forget()
    circuit._failures.clear()
    qr._failures.clear()
    sightings.forget()
    rules.forget()
    cache.clear()
    watching.forget()


@pytest.fixture
def account(db: None) -> Account:
    """The account `demo`: a verified service account in plain mode, with both of its AES keys."""
    demo = Account.objects.create(slug="demo", name="示例", original_id=ORIGINAL_ID)
    rows = {
        "public_wechat_appid": APPID,
        "public_wechat_appsecret": SECRET,
        "public_wechat_token": TOKEN,
        "public_wechat_aes_key": AES_KEY,
        "public_wechat_aes_key_previous": PREVIOUS_AES_KEY,
    }
    conf.save(demo, rows)
    return demo


@pytest.fixture
def config(account: Account) -> AccountConfig:
    """`demo` as the code reads it."""
    config = conf.account(account.slug)
    assert config is not None
    return config


@pytest.fixture
def push(account: Account) -> Callback:
    """Pushes of the platform to `demo`: `push(body)`, `push.text("报价")`, `push.scan("77")`; see tests/callback.py."""
    return Callback(Client())


@pytest.fixture
def order(account: Account) -> Order:
    """The quote 77 of `demo`."""
    return Order.objects.create(
        account=account,
        orderid=77,
        customer="王女士",
        room_area=Decimal("88.50"),
        total_money=Decimal("56000"),
        saved_money=Decimal("8000"),
    )


@pytest.fixture
def worker_alive(db: None) -> Lease:
    """The sign of a living worker: customer-service messages go out."""
    lease = Lease.objects.create(name="worker:test", holder="test", until=timezone.now() + timedelta(hours=1))
    conf.forget()
    return lease


@pytest.fixture
def simulator(settings: Any) -> Iterator[SimulatorServer]:
    """The simulator of the platform, over real HTTP; it knows `demo` and pushes nothing by itself."""
    platform = Platform(
        Registration(appid=APPID, secret=SECRET, token=TOKEN, callback_url="", original_id=ORIGINAL_ID, aes_key=AES_KEY)
    )
    platform.settings.push_repeats = 0
    with SimulatorServer(platform) as server:
        base = server.url
        settings.WECHAT_API_BASE = settings.WECHAT_MP_BASE = settings.WECHAT_OPEN_BASE = base
        settings.WECHAT_JSSDK_URL = f"{base}/open/js/jweixin-1.6.0.js"
        for name in ("SEND_MESSAGE", "PUBLIC_GET_ACCESS_TOKEN", "PUBLIC_GET_TEMPORARY_TICKET"):
            address = getattr(settings, f"WECHAT_{name}")
            setattr(settings, f"WECHAT_{name}", address.replace("https://api.weixin.qq.com", base))
        yield server


@pytest.fixture
def staff(db: None) -> Client:
    """The admin's visitor who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def viewer(account: Account) -> Client:
    """The admin's visitor who may look at everything of `demo` and do nothing."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    Membership.objects.create(user=user, account=account)
    client = Client()
    client.force_login(user)
    return client
