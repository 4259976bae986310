"""C2: the access token under bursts, refusals and kills."""

import time

from bench import pushes
from bench.soak.ground import SEND, Ground
from bench.soak.rows import Judged, held_by, row

FETCH = "/cgi-bin/stable_token"
TESTS = "tests/test_tokens.py::"

held_by("C201", "cold start, 4 processes × 16 threads, the token endpoint slow by 1 s", "tests/test_token_processes.py")


def _spoilt(ground: Ground, action: str, scenes: range) -> tuple[int, int]:
    """Spoil the token in the middle of a burst: how many fetches that costs, and how many cards arrive."""
    driving = ground.meanwhile_scans(scenes, rate=40)
    time.sleep(2)
    before = ground.simulator("counters")["token_fetches"]
    ground.simulator(f"accounts/{pushes.APPID}/tokens", {"action": action})
    driving.join()
    ground.wait(lambda: len(ground.accepted()) >= len(scenes), 40)
    return ground.simulator("counters")["token_fetches"] - before, len(ground.accepted())


@row("C202", "the token expires in a burst", threads=16)
def expires(ground: Ground) -> Judged:
    fetches, cards = _spoilt(ground, "expire", range(1, 301))
    given_up = sum(message["state"] == "given_up" for message in ground.facts()["messages"])
    return (
        fetches <= 2 and cards == 300 and not given_up,
        f"{fetches} fetches, {cards} of 300 cards, {given_up} given up",
    )


@row("C203", "somebody else fetched a token (40001)", threads=16)
def replaced(ground: Ground) -> Judged:
    fetches, cards = _spoilt(ground, "revoke", range(1, 301))
    return fetches <= 2 and cards == 300, f"{fetches} fetches, {cards} of 300 cards"


@row("C204", "40001 persists after the fetch", slow=True)
def persists(ground: Ground) -> Judged:
    ground.fault(SEND, "errcode", errcode=40001)
    before = ground.simulator("counters")["token_fetches"]
    ground.scans(range(1, 21), rate=1)
    time.sleep(40)
    fetches = ground.simulator("counters")["token_fetches"] - before
    calls = len(ground.simulator(f"journal?kind=call&path={SEND}&limit=100000")["entries"])
    ground.well()
    return fetches <= 3, f"{fetches} fetches in 60 s; {calls} calls"


held_by(
    "C205",
    "the fetch answers −1, 500, HTML, cut JSON, {}; then works",
    f"{TESTS}test_garbage_is_never_stored_and_the_next_call_heals",
    f"{TESTS}test_the_old_token_serves_while_no_new_one_can_be_had",
    f"{TESTS}test_a_failed_fetch_is_not_repeated_at_once",
)
held_by(
    "C206",
    "the fetch answers 40013, 40125, 40164",
    f"{TESTS}test_a_refused_fetch_raises_what_the_platform_said",
    "tests/test_doctor_faults.py",
    "tests/test_errors.py",
)


@row("C207", "the fetching process is killed -9 while it holds the lock")
def killed_while_fetching(ground: Ground) -> Judged:
    ground.start_worker("second")
    ground.fault(FETCH, "slow", seconds=2)
    ground.simulator(f"accounts/{pushes.APPID}/tokens", {"action": "forget"})
    ground.shell(
        "from wechat.models import ConfigRow; ConfigRow.objects.filter(conf_name__contains='accesstoken').delete()"
    )
    ground.scans(range(1, 11), rate=10)
    ground.wait(lambda: any(name.startswith("token:") for name in ground.facts()["leases"]), 10)
    ground.kill("worker")
    began = time.monotonic()
    ground.well()
    arrived = ground.wait(lambda: len(ground.accepted()) + ground.passive() >= 10, 30)
    return arrived and time.monotonic() - began < 15, f"all cards {time.monotonic() - began:.1f} s after the kill"


held_by("C208", "a token of 512 characters", f"{TESTS}test_a_token_of_512_characters_is_kept_whole")
held_by("C209", "expires_in 60, 0, −1, text, absent", f"{TESTS}test_an_odd_expires_in_makes_no_loop")
held_by("C210", "the token's row deleted or edited by hand", f"{TESTS}test_rows_that_were_damaged_by_hand_heal")
