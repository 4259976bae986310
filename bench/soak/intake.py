"""C1: what comes in while machines, disks and clocks fail."""

import random
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from bench import pushes
from bench.pushes import fingerprint
from bench.soak.ground import SEND, Ground
from bench.soak.rows import SQLITE, Judged, held_by, row
from bench.stand import SLUG, free_port

BURST = range(10_000, 11_000)


def _cards(ground: Ground, scenes: range, told: dict[str, Any], *, p99: float = 500) -> Judged:
    """One card each, and quick answers."""
    ground.wait(lambda: len(ground.accepted()) >= len(scenes), 60)
    time.sleep(1)
    got = [entry["openid"] for entry in ground.accepted()]
    held = sorted(set(got)) == sorted(set(told["openids"])) and len(got) == len(scenes) and not told["not_200"]
    ms = told["ms"]
    return held and ms["p99"] < p99, f"{len(got)} cards for {len(scenes)} scans; p50 {ms['p50']} ms, p99 {ms['p99']} ms"


@row("C101", "1,000 scans in 10 s, all different", threads=16)
def burst(ground: Ground) -> Judged:
    return _cards(ground, BURST, ground.scans(BURST, rate=100))


@row("C102", "the same, every push three times in parallel", threads=16)
def copies(ground: Ground) -> Judged:
    return _cards(ground, BURST, ground.scans(BURST, rate=100, copies=3))


@row("C103", "the same with fresh timestamp and nonce for each copy", threads=16)
def fresh_copies(ground: Ground) -> Judged:
    return _cards(ground, BURST, ground.scans(BURST, rate=100, copies=3, fresh=True))


@row("C104", "the same push again after 1 h, freshly signed")
def an_hour_later(ground: Ground) -> Judged:
    ground.orders(range(1, 2))
    body = pushes.scan("oHOUR", 1)
    first = ground.post(body)[0]
    ground.shell(
        "from datetime import timedelta; from django.db.models import F; from wechat.models import *; "
        "Push.objects.update(received_at=F('received_at') - timedelta(hours=1)); "
        "OutgoingMessage.objects.update(created_at=F('created_at') - timedelta(hours=1))"
    )
    again = ground.post(body)[0]
    found = ground.facts()
    held = first == again == 200 and len(found["messages"]) == 1 and [push[2] for push in found["pushes"]] == [1]
    return held, f"answers {first}, {again}; {len(found['messages'])} message"


held_by(
    "C105",
    "SCAN and LOCATION of one user in one second; two codes in one second",
    "tests/test_signature_and_encryption.py",
    "tests/test_messages.py",
    "tests/test_inbox.py",
)
held_by("C106", "subscribe after its unsubscribe, out of order", "tests/test_followers.py")


@row("C107", "kill -9 of the web process 20 times in a burst of 2,000, with a supervisor", threads=16, slow=True)
def killed_web(ground: Ground) -> Judged:
    scenes = range(20_000, 22_000)
    with ground.supervised():
        driving = ground.meanwhile_scans(scenes, rate=30)
        for _ in range(20):
            time.sleep(random.uniform(1.5, 3.5))
            ground.kill("web")
        driving.join()
    return _reached(ground, driving.told, len(scenes))


def _reached(ground: Ground, told: dict[str, Any], scans: int) -> Judged:
    """What WeChat got a 200 for is done; what it gave up after three tries is no business of ours."""
    taken = told["outcomes"]
    found = ground.facts()
    written = len({message["about"] for message in found["messages"]})
    answered = {
        fingerprint(push["xml"]) for push in ground.pushes() if any(a["status"] == 200 for a in push["attempts"])
    }
    stored = {push[0] for push in found["pushes"]}
    missing = answered - stored
    return (
        not missing,
        f"{scans} scans: {taken}; {len(answered)} answered 200, {len(missing)} of them missing; {written} cards",
    )


@row("C108", "kill -9 the moment the row appears, before the answer")
def killed_before_the_answer(ground: Ground) -> Judged:
    ground.orders(range(1, 4))
    for scene in range(1, 4):
        body = pushes.scan(f"oMOMENT{scene}", scene)
        sender = threading.Thread(target=ground.post, args=(body,))
        sender.start()
        ground.kill("web")
        sender.join()
        ground.start_web()
        ground.wait(lambda: ground.get("/healthz")[0] == 200)
        ground.post(body)
        ground.post(body)
    ground.wait(lambda: len(ground.accepted()) >= 3, 10)
    found = ground.facts()
    return len(found["messages"]) == 3, f"3 pushes, repeated: {len(found['messages'])} messages"


@row("C109", "a full restart in a burst: the new process listens before the old one stops", threads=8)
def restarted(ground: Ground) -> Judged:
    scenes = range(30_000, 30_600)
    driving = ground.meanwhile_scans(scenes, rate=50)
    refused: list[float] = []
    for turn in range(3):
        time.sleep(1.5)
        old, new = ("web", "other") if turn % 2 == 0 else ("other", "web")
        ground.start_web(new)
        ground.wait(lambda: ground.listening() == 2, 20)
        ground.processes[old].terminate()
        began = time.monotonic()
        while ground.processes[old].poll() is None and time.monotonic() - began < 10:
            time.sleep(0.05)
        refused.append(time.monotonic() - began)
    driving.join()
    held, figures = _cards(ground, scenes, driving.told, p99=1000)
    return held, f"{figures}; the old ones ended in {max(refused):.1f} s at most"


@row("C110", "the database is write-locked for 3 s from outside", threads=16)
def locked_briefly(ground: Ground) -> Judged:
    return _locked(ground, 3)


@row("C111", "the database is write-locked for 30 s", threads=16, slow=True)
def locked_long(ground: Ground) -> Judged:
    return _locked(ground, 30)


def _locked(ground: Ground, seconds: float) -> Judged:
    scenes = range(40_000, 40_000 + int(seconds * 10) + 40)
    driving = ground.meanwhile_scans(scenes, rate=10)
    time.sleep(1)
    with ground.locked():
        time.sleep(seconds)
    driving.join()
    ground.wait(lambda: not ground.spooled(), 20)
    ground.wait(lambda: len(ground.accepted()) + ground.passive() >= len(scenes), 60)
    told, got, passively = driving.told, ground.accepted(), ground.passive()
    held = len(got) + passively >= len(scenes) and told["ms"]["max"] < 5000
    return held, f"{len(got)} + {passively} cards for {len(scenes)} scans; slowest answer {told['ms']['max']:.0f} ms"


@row("C112", "the disk is full (a small file system)", only=SQLITE, slow=True)
def full_disk(ground: Ground) -> Judged:
    disk = Path(tempfile.mkdtemp(prefix="wxhub-disk-"))
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return False, f"needs the right to mount a file system: {error}"
    try:
        with Ground(
            f"sqlite:///{disk / 'small.sqlite3'}", environment={"SPOOL_DIR": str(disk / "spool")}, threads=8
        ) as small:
            return _fill(small, disk)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def _fill(small: Ground, disk: Path) -> Judged:
    small.orders(range(1, 2))
    page = small.shell("from orders.models import Order; print(Order.objects.get().get_absolute_url())").strip()
    small.post(pushes.text("oDISK"))
    filler = disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(b"x" * 65_536)
                file.flush()
        except OSError:
            pass
    bodies = [pushes.text("oDISK") for _ in range(10)]
    answers = [small.post(body)[1] for body in bodies]
    asked = sum("系统正忙".encode() in answer for answer in answers)
    shown = small.get(page)[0]
    filler.unlink()
    time.sleep(2)
    after = small.post(pushes.text("oDISK"))
    with closing(sqlite3.connect(str(small.sqlite))) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone()[0]
    stored = {push[0] for push in small.facts()["pushes"]}  # a log that was cut back may have room for one more
    success = [fingerprint(body) for body, answer in zip(bodies, answers, strict=True) if answer == b"success"]
    lost = len(set(success) - stored)
    held = not lost and asked and shown == 200 and after[0] == 200 and whole == "ok"
    return (
        bool(held),
        f"full: {asked} of 10 asked to try again, {len(success)} stored, {lost} lost, page {shown}; "
        f"afterwards {after[0]}, {whole}",
    )


@row("C113", "Redis stops in a burst", threads=16)
def without_redis(ground: Ground) -> Judged:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    ground.environment["REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    try:
        ground.processes["web"].terminate()
        ground.processes["web"].wait()
        ground.kill("worker")
        ground.start_web()
        ground.start_worker()
        ground.wait(lambda: ground.get("/healthz")[0] == 200)
        driving = ground.meanwhile_scans(range(50_000, 50_400), rate=50)
        time.sleep(3)
        redis.kill()
        driving.join()
        return _cards(ground, range(50_000, 50_400), driving.told, p99=5000)  # only speed may suffer
    finally:
        redis.kill()
        redis.wait()


@row("C114", "the API hangs during a burst", threads=16)
def hanging_api(ground: Ground) -> Judged:
    ground.fault(SEND, "hang", seconds=60)
    told = ground.scans(range(60_000, 60_300), rate=100)
    ground.well()
    ms = told["ms"]
    return ms["p99"] < 500 and not told[
        "not_200"
    ], f"300 scans while the API hangs: p99 {ms['p99']} ms; {told['outcomes']}"


@row("C115", "our clock is 4 min off")
def clock_a_little_off(ground: Ground) -> Judged:
    told = _with_clock(ground, 240)
    return not told["not_200"] and told["pushes"] == 10, f"{told['pushes']} pushes, {told['not_200']} refused"


@row("C116", "our clock is 20 min off: refused, and an alarm within a minute", slow=True)
def clock_far_off(ground: Ground) -> Judged:
    told = _with_clock(ground, 1200)
    raised = ground.wait(lambda: "clock" in " ".join(ground.facts()["notices"]), 60)
    return told["not_200"] >= 10 and raised, f"{told['not_200']} deliveries refused; alarm within a minute: {raised}"


def _with_clock(ground: Ground, offset: float) -> dict[str, Any]:
    ground.simulator("clock", {"offset": offset})
    return ground.scans(range(70_000, 70_010), rate=10)


@row("C117", "10,000 unsigned posts while 100 real scans come", threads=16)
def unsigned_flood(ground: Ground) -> Judged:
    before = len(ground.facts()["pushes"])
    flood = [threading.Thread(target=_flood, args=(ground.site, 2500)) for _ in range(4)]
    for thread in flood:
        thread.start()
    told = ground.scans(range(80_000, 80_100), rate=10)
    for thread in flood:
        thread.join()
    rows = len(ground.facts()["pushes"]) - before
    ms = told["ms"]
    return not told["not_200"] and ms[
        "p99"
    ] < 1000 and rows == 100, f"{rows} rows for 100 real scans; p99 {ms['p99']} ms"


def _flood(port: int, posts: int) -> None:
    body = pushes.text("oSTRANGER").encode()
    request = (
        f"POST /wechat/{SLUG}/callback?signature=0&timestamp={int(time.time())}&nonce=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(posts):
            connection.sendall(request)
            connection.recv(4096)


@row("C118", "headers and body one byte a second on 200 connections", threads=16, slow=True)
def slow_senders(ground: Ground) -> Judged:
    stop = threading.Event()
    lines = [socket.create_connection(("127.0.0.1", ground.site)) for _ in range(200)]
    head = f"POST /wechat/{SLUG}/callback?signature=0 HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n".encode()
    dripping = threading.Thread(target=_drip, args=(lines, head, stop))
    dripping.start()
    time.sleep(10)
    told = ground.scans(range(90_000, 90_050), rate=10)
    stop.set()
    dripping.join()
    ms = told["ms"]
    return not told["not_200"] and ms["max"] < 2000, f"50 scans beside them: slowest {ms['max']:.0f} ms"


def _drip(lines: list[socket.socket], head: bytes, stop: threading.Event) -> None:
    for number, line in enumerate(lines):
        if number % 2:
            line.sendall(head)  # half of them drip their body, the others their headers
    sent = 0
    while not stop.wait(1.0):
        for number, line in enumerate(lines):
            with suppress(OSError):
                line.send(b"x" if number % 2 else head[sent % len(head) : sent % len(head) + 1])
        sent += 1
    for line in lines:
        line.close()


@row("C119", "500 scans of one order by 500 users", threads=16)
def one_order(ground: Ground) -> Judged:
    ground.orders(range(1, 2))
    told = ground.simulator("scans", {"scenes": ["1"], "persons": 500, "follows": True, "rate": 100})
    return _cards(ground, range(500), told)


@row("C120", "one user scans 50 times in a minute", threads=16)
def one_user(ground: Ground) -> Judged:
    scenes = range(95_000, 95_050)
    ground.orders(scenes)
    told = ground.simulator(
        "scans",
        {"scenes": [*map(str, scenes)], "openids": ["oEAGER000000000000000000001"], "rate": 10, "follows": True},
    )
    time.sleep(8)
    refused = ground.simulator("journal?kind=call&limit=100000")["entries"]
    storms = sum(entry.get("errcode") in (45015, 45047) for entry in refused)
    got = len(ground.accepted())
    figures = (
        f"{got} messages taken: each scan opens a window of three anew, as the simulator has it; {storms} refusals"
    )
    return not told["not_200"] and storms <= 60, figures


@row("C321", "a copy of the database files at a random instant under load", only=SQLITE, threads=8)
def power_cut(ground: Ground) -> Judged:
    driving = ground.meanwhile_scans(range(96_000, 96_300), rate=60)
    lost = bad = 0
    for turn in range(5):
        time.sleep(random.uniform(0.3, 0.9))
        before = {fingerprint(p["xml"]) for p in ground.pushes() if any(a["status"] == 200 for a in p["attempts"])}
        copy = ground.copy_of_database(Path(ground.folder.name) / f"copy{turn}")
        with closing(sqlite3.connect(copy)) as connection:
            bad += connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
            kept = {fingerprint(raw) for (raw,) in connection.execute("SELECT raw FROM wechat_push")}
        lost += len(before - kept)
    driving.join()
    return not lost and not bad, f"5 copies: {bad} damaged, {lost} answered pushes missing"
