"""A backup is one consistent file, made while everything runs; restoring it sends nothing twice and trusts nothing it reads."""

import hashlib
import io
import json
import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from callback import Callback
from django.contrib.auth.models import User
from django.utils import timezone
from installation import Installation, has_server, postgres

from orders.models import Order
from wechat import conf, leases, notices, outbox, tokens
from wechat.models import (
    Account,
    ConfigRow,
    Follower,
    Lease,
    MessageTemplate,
    Notice,
    OutgoingMessage,
    SendJob,
)
from wechat.upkeep import Impossible, archive, restored
from wechat.worker import Worker

State = OutgoingMessage.State
FILL = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from datetime import timedelta
from django.utils import timezone
from django.contrib.auth.models import User
from wechat.models import *
from wechat import conf
now = timezone.now()
demo = Account.objects.create(slug="demo")
conf.save(demo, {"public_wechat_appid": "wx0123456789abcdef", "public_wechat_appsecret": "the-secret-of-the-account",
                 "public_wechat_token": "the-token"})
User.objects.create_superuser("boss")
for n in range(50):
    Push.objects.create(account=demo, key=f"k{n}", received_at=now, openid="o", kind="text", raw="<xml/>")
common = dict(account=demo, openid="o", purpose="card", content={}, created_at=now, expires_at=now + timedelta(seconds=55))
for state in ("waiting", "sending", "owed", "sent"):
    OutgoingMessage.objects.create(state=state, due_at=now, **common)
Lease.objects.create(name="token:1", holder="x", until=now + timedelta(hours=1))
"""
COUNT = """
from collections import Counter
from wechat.models import *
from wechat import conf
told = {"pushes": Push.objects.count(), "states": Counter(OutgoingMessage.objects.values_list("state", flat=True)),
        "leases": Lease.objects.count(), "kinds": list(Notice.objects.values_list("kind", flat=True)),
        "secret": conf.account("demo").get("public_wechat_appsecret")}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql" and not has_server():
        pytest.skip("no PostgreSQL answers")
    return str(request.param)


@pytest.fixture(scope="module")
def new(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Installation]]:
    """`new()`: an installation without a database."""
    opened: list[Any] = []

    def make() -> Installation:
        folder = tmp_path_factory.mktemp("installation")
        if kind == "sqlite":
            return Installation(folder)
        opened.append(postgres())
        return Installation(folder, opened[-1].__enter__())

    yield make
    for each in opened:
        each.__exit__(None, None, None)


@pytest.fixture(scope="module")
def filled(new: Callable[[], Installation]) -> Installation:
    """One with an account, pushes, messages in every state, and a file."""
    one = new()
    one.run(FILL)
    (one.folder / "media" / "materials").mkdir(parents=True)
    (one.folder / "media" / "materials" / "图.png").write_bytes(b"\x89PNG" + bytes(5000))
    return one


@pytest.fixture(scope="module")
def saved(filled: Installation) -> Path:
    """Its backup."""
    target = filled.folder / "backup.tar.gz"
    said = filled.done("backup", str(target))
    assert "2 files" not in said
    assert "the-secret" not in said
    return target


def manifest(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as tar:
        return dict(json.load(tar.extractfile("manifest.json")))  # type: ignore[arg-type]


def test_a_backup_says_what_it_holds(saved: Path, kind: str) -> None:
    found = manifest(saved)
    assert (found["product"], found["vendor"], found["format"]) == ("wxhub", kind, 1)
    assert found["counts"]["wechat_push"] == 50
    assert ["wechat", "0001_initial"] in found["migrations"]
    assert set(found["files"]) == {"database", "media/materials/图.png"}
    content = b"\x89PNG" + bytes(5000)
    assert found["files"]["media/materials/图.png"] == [len(content), hashlib.sha256(content).hexdigest()]


def test_only_its_owner_can_read_it_and_no_draft_stays(saved: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    assert not [path for path in saved.parent.iterdir() if path.name.startswith(".")]


def test_a_file_that_exists_is_not_overwritten(filled: Installation, saved: Path) -> None:
    before = saved.read_bytes()
    done = filled.manage("backup", str(saved))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert saved.read_bytes() == before


def test_a_backup_is_restored_with_all_rows_files_and_secrets(
    saved: Path, new: Callable[[], Installation], kind: str
) -> None:
    clean = new()
    said = clean.done("restore", str(saved))
    assert "3 messages are set aside" in said
    found = clean.run(COUNT)
    assert found["pushes"] == 50
    assert found["states"] == {"set_aside": 3, "sent": 1}
    assert (found["leases"], found["kinds"]) == (0, ["restored"])
    assert found["secret"] == "the-secret-of-the-account"
    assert (clean.folder / "media/materials/图.png").stat().st_size == 5004
    assert not [path for path in clean.folder.iterdir() if path.name.startswith(".wxhub")]

    again = clean.manage("restore", str(saved))
    assert again.returncode == 1
    assert "not empty" in again.stderr
    with in_use(clean, kind):
        used = clean.manage("restore", str(saved), "--force")
    assert used.returncode == 1
    assert "in use" in used.stderr
    assert "3 messages are set aside" in clean.done("restore", str(saved), "--force")
    assert clean.run(COUNT)["pushes"] == 50


@contextmanager
def in_use(one: Installation, kind: str) -> Iterator[None]:
    """As by a site that runs: somebody has the database open."""
    if kind == "postgresql":
        with psycopg.connect(one.environment["DATABASE_URL"]):
            yield
        return
    with closing(sqlite3.connect(one.file)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT count(*) FROM wechat_push").fetchone()
        yield


def test_a_backup_of_the_other_database_says_how_to_go_on(saved: Path, kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        pytest.skip("the other way round")
    done = Installation(tmp_path / "other").manage("restore", str(saved))
    assert done.returncode == 1
    assert "postgresql" in done.stderr
    assert "Traceback" not in done.stderr


def rewritten(saved: Path, target: Path, change: Callable[[str, bytes], bytes], extra: str = "") -> Path:
    """The same archive with other contents."""
    with tarfile.open(saved) as source, tarfile.open(target, "w:gz") as tar:
        for member in source:
            content = change(member.name, source.extractfile(member).read())  # type: ignore[union-attr]
            entry = tarfile.TarInfo(member.name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        if extra:
            tar.addfile(tarfile.TarInfo(extra), io.BytesIO())
    return target


def refused(path: Path, folder: Path) -> str:
    """Why it is not unpacked."""
    folder.mkdir(exist_ok=True)
    with pytest.raises(Impossible) as why:
        archive.unpack(path, folder)
    return str(why.value)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A backup with next to nothing in it."""
    media = tmp_path / "media"
    media.mkdir()
    for path in (tmp_path / "database", media / "a.png"):
        path.write_bytes(b"content" * 1000)
    manifest = archive.Manifest("sqlite", "1", timezone.now().isoformat(), [], {})
    archive.write(tmp_path / "small.tar.gz", manifest, tmp_path / "database", media)
    return tmp_path / "small.tar.gz"


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "media/../../escaped", "other", "media//x", "database"])
def test_an_archive_with_strange_names_is_refused(name: str, small: Path, tmp_path: Path) -> None:
    path = rewritten(small, tmp_path / "x.tar.gz", lambda _name, content: content, extra=name)
    assert "not of a backup" in refused(path, tmp_path / "to")
    assert not (tmp_path.parent / "escaped").exists()


def test_a_link_in_an_archive_is_refused(small: Path, tmp_path: Path) -> None:
    link = tarfile.TarInfo("media/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        tar.addfile(link)
    assert "not of a backup" in refused(tmp_path / "x.tar.gz", tmp_path / "to")


def test_a_damaged_archive_is_refused(small: Path, tmp_path: Path) -> None:
    path = rewritten(small, tmp_path / "a.tar.gz", lambda name, content: content + b"x" * (name == "database"))
    assert "database is not what was backed up" in refused(path, tmp_path / "1")
    (tmp_path / "b.tar.gz").write_bytes(small.read_bytes()[:-200])
    assert refused(tmp_path / "b.tar.gz", tmp_path / "2")
    (tmp_path / "c.tar.gz").write_bytes(b"no archive")
    assert "cannot be read" in refused(tmp_path / "c.tar.gz", tmp_path / "3")
    assert "cannot be read" in refused(tmp_path / "none.tar.gz", tmp_path / "4")
    path = rewritten(small, tmp_path / "d.tar.gz", lambda name, content: b"{}" if name == "manifest.json" else content)
    assert "no backup of WxHub" in refused(path, tmp_path / "5")


def test_an_archive_that_is_whole_is_unpacked(small: Path, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    assert set(archive.unpack(small, tmp_path / "to").files) == {"database", "media/a.png"}
    assert (tmp_path / "to" / "media" / "a.png").read_bytes() == b"content" * 1000


def test_a_backup_of_a_newer_version_is_refused(saved: Path, tmp_path: Path, kind: str) -> None:
    if kind != "sqlite":
        pytest.skip("the same for both")

    def newer(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        told = json.loads(content)
        return json.dumps({**told, "migrations": [*told["migrations"], ["wechat", "9999_future"]]}).encode()

    target = Installation(tmp_path / "target")
    done = target.manage("restore", str(rewritten(saved, tmp_path / "x.tar.gz", newer)))
    assert done.returncode == 1
    assert "wechat.9999_future" in done.stderr
    assert list(target.folder.iterdir()) == []


def test_the_newest_backups_of_a_folder_stay(filled: Installation, tmp_path: Path, kind: str) -> None:
    if kind != "sqlite":
        pytest.skip("the same for both")
    for day in range(1, 6):
        (tmp_path / f"wxhub-2026010{day}-020000.tar.gz").touch()
    (tmp_path / "of-somebody-else.tar.gz").touch()
    filled.done("backup", str(tmp_path), "--keep", "3")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left[:3] == ["of-somebody-else.tar.gz", "wxhub-20260104-020000.tar.gz", "wxhub-20260105-020000.tar.gz"]
    assert len(left) == 4
    assert filled.manage("backup", str(tmp_path), "--keep", "0").returncode == 1


def test_without_pg_dump_it_says_what_to_install(filled: Installation, kind: str, tmp_path: Path) -> None:
    if kind != "postgresql":
        pytest.skip("of PostgreSQL")
    done = filled.manage("backup", str(tmp_path / "x.tar.gz"), PATH=str(tmp_path))
    assert done.returncode == 1
    assert "postgresql-client" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_backup_under_load_is_whole_and_holds_up_nobody(filled: Installation, kind: str) -> None:
    """Rows come in pairs, in one transaction each: a backup never has one without the other."""
    if kind != "sqlite":
        pytest.skip("pg_dump's own promise")
    one = filled
    stop, slowest = threading.Event(), [0.0]

    def write() -> None:
        with closing(sqlite3.connect(one.file, timeout=5, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous=OFF")
            number = 0
            while not stop.is_set():
                began = time.monotonic()
                database.execute("BEGIN IMMEDIATE")
                for half in "ab":
                    database.execute("INSERT INTO wechat_cursor VALUES (?, 0)", [f"{number}{half}"])
                database.execute("COMMIT")
                slowest[0] = max(slowest[0], time.monotonic() - began)
                number += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        one.done("backup", str(one.folder / "x.tar.gz"))
    finally:
        stop.set()
        writing.join()
    assert slowest[0] < 1.0
    copy = one.folder / "copy"
    copy.mkdir()
    counts = archive.unpack(one.folder / "x.tar.gz", copy).counts
    with closing(sqlite3.connect(copy / "database")) as database:
        names = [name for (name,) in database.execute("SELECT name FROM wechat_cursor WHERE position = 0")]
    assert len(names) > 20
    assert {name[:-1] for name in names if name.endswith("a")} == {name[:-1] for name in names if name.endswith("b")}
    assert len(names) == counts["wechat_cursor"]


# What a restored database must not send again.


def test_nothing_that_waited_goes_out_again(
    push: Callback, order: Order, simulator: Any, worker_alive: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    push.scan("77")
    account = order.account
    template = MessageTemplate.objects.create(account=account, template_id="t", synced_at=timezone.now())
    job = SendJob.objects.create(
        account=account,
        template=template,
        name="n",
        audience={"kind": "followers"},
        content={},
        created_at=timezone.now(),
    )
    card = OutgoingMessage.objects.get()
    for state, route in (
        (State.WAITING, "template"),
        (State.SENDING, "customer_service"),
        (State.OWED, "customer_service"),
    ):
        card.pk, card.state, card.route = None, state, route
        card.save()
    Follower.objects.update(owed=1)
    tokens.get(conf.account_by_id(account.pk))
    leases.extend("paused:1", 600)

    held = restored.hold(timezone.now())

    assert (held.messages, held.jobs) == (4, 1)
    assert set(OutgoingMessage.objects.values_list("state", flat=True)) == {State.SET_ASIDE}
    assert "may have been sent since" in OutgoingMessage.objects.latest("pk").error
    assert not Lease.objects.exists()
    assert not ConfigRow.objects.filter(conf_name__startswith="public_wechat_accesstoken").exists()
    assert not Follower.objects.exclude(owed=0).exists()
    job.refresh_from_db()
    assert job.state == SendJob.State.PAUSED
    assert outbox.claim("w", 10) == outbox.claim("w", 10, patient=True) == []
    conf.forget()
    push.text("在吗")  # the next contact, at which what is owed would go out
    assert set(OutgoingMessage.objects.values_list("state", flat=True)) == {State.SET_ASIDE}
    worker = Worker()
    worker._send_due()
    worker._pool.shutdown()
    worker._patient_pool.shutdown()
    assert simulator.platform.journal.find(kind="message") == []


def test_new_messages_get_numbers_that_were_never_used(push: Callback, order: Order, worker_alive: Lease) -> None:
    push.scan("77")
    last = OutgoingMessage.objects.get().pk
    restored.hold(timezone.now())
    Lease.objects.create(name="worker:test", holder="test", until=timezone.now() + timedelta(hours=1))
    conf.forget()
    push.scan("77", openid="oSomebodyElse000000000000001")
    assert OutgoingMessage.objects.latest("pk").pk > last + 50_000


def test_staff_are_told_once_and_old_news_are_not_told_again(account: Account, staff: Any, settings: Any) -> None:
    settings.SENDS_MAIL = True
    Notice.objects.create(account=account, kind="annual_renew", level="warning", created_at=timezone.now())
    restored.hold(timezone.now())
    assert Notice.objects.filter(mailed_at=None).get().kind == "restored"
    staff.force_login(User.objects.get())
    assert notices.title(Notice.objects.get(kind="restored")) in staff.get("/admin/").content.decode()


def test_everybody_signs_in_anew(staff: Any, account: Account) -> None:
    assert staff.get("/admin/").status_code == 200
    restored.hold(timezone.now())
    assert staff.get("/admin/").status_code == 302
