"""The worker keeps the database in shape, in small steps; a job of this kind that is killed goes on where it was."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from axes.models import AccessLog
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from installation import ROOT, Installation

from wechat import housekeeping

FILL = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from datetime import timedelta
from django.utils import timezone
from wechat.models import *
from wechat import conf
demo = Account.objects.create(slug="demo")
conf.save(demo, {"wechat_keep_messages_days": "30"})
old, new = timezone.now() - timedelta(days=90), timezone.now()
Push.objects.bulk_create(Push(account=demo, key=f"k{n}", received_at=old if n < 9000 else new, openid="o", kind="text",
                              raw="x" * 3000) for n in range(9100))
"""
RETAIN = "import django; django.setup()\nfrom wechat import retention\nprint('began', flush=True)\nwhile retention.run(): pass"


def session(name: str, hours: float) -> None:
    Session.objects.create(session_key=name, session_data="", expire_date=timezone.now() + timedelta(hours=hours))


@pytest.mark.django_db
def test_sessions_that_have_ended_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 4)
    for number in range(10):
        session(f"old{number}", -1)
    session("young", 1)
    with CaptureQueriesContext(connection) as queries:
        assert housekeeping.run() == 0
    assert list(Session.objects.values_list("session_key", flat=True)) == ["young"]
    assert sum(query["sql"].startswith("DELETE") for query in queries) == 3


@pytest.mark.django_db
def test_who_signed_in_long_ago_is_forgotten() -> None:
    for _number in range(3):
        AccessLog.objects.create(username="x")
    AccessLog.objects.filter(pk=AccessLog.objects.first().pk).update(  # type: ignore[union-attr]
        attempt_time=timezone.now() - timedelta(days=200)
    )
    housekeeping.run()
    assert AccessLog.objects.count() == 2


@pytest.mark.django_db
def test_a_turn_ends_and_says_that_there_is_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    monkeypatch.setattr(housekeeping, "TURN", 0)
    for number in range(5):
        session(f"old{number}", -1)
    assert [housekeeping.run() for _turn in range(4)] == [2, 2, 1, 0]


def test_a_new_connection_opens_while_another_program_writes(tmp_path: Path) -> None:
    one = Installation(tmp_path)
    one.run("from django.core.management import call_command; call_command('migrate', verbosity=0)")
    with closing(sqlite3.connect(one.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert one.run("from wechat.models import Account; told = Account.objects.count()") == 0
        assert other.in_transaction


def test_a_retention_that_is_killed_leaves_no_gap_and_its_room_is_given_back(tmp_path: Path) -> None:
    one = Installation(tmp_path)
    one.run(FILL)
    assert one.query("PRAGMA auto_vacuum") == [(2,)]
    environment = {**one.environment, "DJANGO_SETTINGS_MODULE": "wxhub.settings"}
    for _kill in range(2):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RETAIN], env=environment, cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    [(left,)] = one.query("SELECT count(*) FROM wechat_push WHERE key < 'l' AND length(raw) = 3000")
    assert 100 < left < 9100, "it was killed in the midst of it"
    before = one.file.stat().st_size
    turns = one.run(
        "from wechat import housekeeping, retention\n"
        "while retention.run(): pass\n"
        "told = 0\n"
        "while housekeeping.run(): told += 1\n"
    )
    assert turns < 20, "many pages at a time"
    with closing(sqlite3.connect(one.file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert database.execute("SELECT count(*) FROM wechat_push").fetchone() == (100,)
        assert database.execute("PRAGMA freelist_count").fetchone()[0] <= housekeeping.SLACK
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
    assert one.file.stat().st_size < before / 1.5
