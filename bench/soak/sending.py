"""C3: what goes out while the platform's API and our own processes fail."""

import time
from collections import Counter

from bench.soak.ground import SEND, Ground
from bench.soak.rows import Judged, held_by, row

WORKER, TRANSPORT = "tests/test_worker.py::", "tests/test_transport.py::"
GARBAGE = ("status", "html", "empty", "cut", "list", "bytes")


def _settled(ground: Ground, scans: int, seconds: float = 60) -> Counter[str]:
    """What became of the messages, when all have come to an end."""
    ends = {"sent", "owed", "given_up", "set_aside"}
    ground.wait(lambda: sum(_states(ground)[state] for state in ends) >= scans, seconds)
    return _states(ground)


def _states(ground: Ground) -> Counter[str]:
    return Counter(message["state"] for message in ground.facts()["messages"])


def _waits(ground: Ground) -> list[float]:
    """Seconds from each scan to its card."""
    return sorted(each["sent"] - each["created"] for each in ground.facts()["messages"] if each["sent"])


@row("C301", "−1 three times, then 0")
def busy(ground: Ground) -> Judged:
    ground.fault(SEND, "errcode", errcode=-1, calls=3)
    ground.scans(range(1, 2))
    states, waits = _settled(ground, 1), _waits(ground)
    return states == {"sent": 1} and len(ground.accepted()) == 1 and waits[0] < 15, f"sent once after {waits[0]:.1f} s"


@row("C302", "HTTP 502, HTML, empty, cut, a list, bytes: each once", slow=True)
def garbage(ground: Ground) -> Judged:
    told = []
    for number, kind in enumerate(GARBAGE, start=1):
        ground.fault(SEND, kind, calls=1)
        ground.scans(range(number, number + 1))
        states = _settled(ground, number)
        told.append(f"{kind}: {states['sent']} of {number} sent")
        ground.well()
    return states["sent"] == len(GARBAGE) == len(ground.accepted()), "; ".join(told)


@row("C303", "connection refused for 30 s", slow=True)
def refused(ground: Ground) -> Judged:
    return _down(ground, range(1, 61), seconds=30, rate=2)


@row("C304", "down for 10 min under 20 scans a minute; handed over when they write", slow=True)
def long_down(ground: Ground) -> Judged:
    held, figures = _down(ground, range(1, 201), seconds=600, rate=1 / 3)
    owing = _states(ground)["owed"]
    for person in ground.simulator("persons")["persons"]:
        ground.simulator("actions/text", {"openid": person["openid"], "text": "你好"})
    ground.wait(lambda: not _states(ground)["owed"], 60)
    left = _states(ground)["owed"]
    return held and not left, f"{figures}; {owing} owed, {left} left after everybody wrote"


def _down(ground: Ground, scenes: range, *, seconds: float, rate: float) -> Judged:
    ground.fault("/cgi-bin/*", "down")
    began = time.monotonic()
    told = ground.scans(scenes, rate=rate)
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    probes = len(ground.simulator("journal?kind=call&limit=100000")["entries"])
    ground.well()
    states = _settled(ground, len(scenes), 70)
    passive = ground.passive()
    held = states["sent"] + states["owed"] == len(scenes) and not told["not_200"]
    few = probes <= 60 + seconds / 4
    figures = (
        f"{states['sent']} sent ({passive} of them as the answer), {states['owed']} owed; {probes} calls meanwhile"
    )
    return held and few, figures


@row("C305", "every answer is slow by 4 s")
def slow(ground: Ground) -> Judged:
    ground.fault(SEND, "slow", seconds=4)
    told = ground.scans(range(1, 41), rate=20)
    states, waits = _settled(ground, 40), _waits(ground)
    held = states["sent"] == 40 and told["ms"]["p99"] < 500
    return held, f"40 sent, the slowest after {waits[-1]:.1f} s; answers p99 {told['ms']['p99']} ms"


@row("C306", "the answer is lost after it took effect", slow=True)
def lost(ground: Ground) -> Judged:
    ground.fault(SEND, "lost", calls=10)
    ground.scans(range(1, 31), rate=10)
    states = _settled(ground, 30)
    each = Counter(entry["openid"] for entry in ground.accepted())
    marked = sum(message["unknown_outcomes"] > 0 for message in ground.facts()["messages"])
    twice = sum(count > 1 for count in each.values())
    return max(each.values()) <= 2 and twice <= marked, f"{states}; {twice} twice, {marked} marked"


held_by(
    "C307", "hang: connect ≤ 2 s, whole ≤ 5 s", f"{TRANSPORT}test_a_call_without_an_answer_ends_within_five_seconds"
)
held_by("C308", "45015, 45047", f"{WORKER}test_a_return_code_decides_what_becomes_of_the_message")
held_by(
    "C309",
    "45009 / 45011",
    f"{WORKER}test_what_concerns_the_whole_account_holds_its_messages",
    f"{WORKER}test_a_pause_lasts_until_the_quota_turns",
)
held_by("C310", "40003, 43004, 50002", f"{WORKER}test_a_return_code_decides_what_becomes_of_the_message")
held_by("C311", "48001, 48004, 40164", f"{WORKER}test_what_concerns_the_whole_account_holds_its_messages")
held_by("C312", "47001, 47003, 45002, 45008, 40007", f"{WORKER}test_a_return_code_decides_what_becomes_of_the_message")
held_by("C313", "unknown code 99999", f"{WORKER}test_an_unknown_code_is_tried_twice_and_then_left_to_staff")
held_by("C314", "redirect to another host", f"{TRANSPORT}test_a_redirect_is_not_followed")
held_by("C315", "an answer of 50 MB", f"{TRANSPORT}test_an_answer_of_50_megabytes_is_cut_off")
held_by("C316", "wrong certificate", f"{TRANSPORT}test_a_wrong_certificate_is_refused_whatever_the_environment_says")
held_by(
    "C317",
    "a poison item that raises in our own code",
    "tests/test_worker_process.py::test_a_bad_message_does_not_delay_the_others",
    f"{WORKER}test_a_message_that_breaks_our_own_code_is_set_aside_and_the_next_goes_out",
)


@row("C318", "kill -9 of the sending worker 20 times in 500 messages", slow=True)
def killed(ground: Ground) -> Judged:
    ground.fault(SEND, "slow", seconds=0.3)
    driving = ground.meanwhile_scans(range(1, 501), rate=20)
    for _ in range(20):
        time.sleep(1.2)
        ground.kill("worker")
        time.sleep(0.1)
        ground.start_worker()
    driving.join()
    states = _settled(ground, 500, 90)
    each = Counter(entry["openid"] for entry in ground.accepted())
    messages = ground.facts()["messages"]
    passive = sum(message["route"] == "passive" for message in messages)
    marked = sum(message["unknown_outcomes"] > 0 for message in messages)
    twice = sum(count > 1 for count in each.values())
    held = len(each) + passive >= 500 and max(each.values()) <= 2 and twice <= marked
    return (
        held,
        f"{len(each)} by API and {passive} as the answer of 500; {twice} twice, {marked} marked; {dict(states)}",
    )


@row("C319", "the worker is killed -9 and not restarted for 2 min", slow=True)
def dead_worker(ground: Ground) -> Judged:
    ground.fault(SEND, "hang", seconds=60)
    ground.scans(range(1, 11), rate=10)  # claimed, or waiting
    ground.kill("worker")
    ground.well()
    time.sleep(120)
    ground.start_worker()
    states = _settled(ground, 10, 30)
    late = sum(entry["message"]["msgtype"] == "news" for entry in ground.accepted())
    return states["owed"] + states["sent"] + states["given_up"] == 10 and not late, f"{dict(states)}; {late} sent late"


@row("C320", "2 workers on one queue")
def two_workers(ground: Ground) -> Judged:
    ground.start_worker("second")
    ground.scans(range(1, 301), rate=100)
    ground.wait(lambda: len(ground.accepted()) >= 300, 30)
    each = Counter(entry["openid"] for entry in ground.accepted())
    return len(each) == 300 and max(each.values()) == 1, f"{len(each)} of 300, at most {max(each.values())} each"


held_by(
    "C322",
    "titles with quotes, newlines, emoji, ##ORDERID##, 600 characters",
    f"{TRANSPORT}test_a_card_goes_out_with_literal_text_cut_to_size",
    "tests/test_replies.py",
)


@row("C323", "an order without room area, with a negative saving, with a huge sum")
def odd_orders(ground: Ground) -> Judged:
    ground.shell(
        "from orders.models import Order; from wechat.models import Account; account = Account.objects.get(); "
        "[Order.objects.create(account=account, orderid=n, room_area=area, total_money=total, saved_money=saved) "
        "for n, area, total, saved in ((1, None, 1, 0), (2, 80, 56000, -8000), (3, 80, '999999999999.99', 0))]"
    )
    ground.simulator("scans", {"scenes": ["1", "2", "3"], "persons": 3, "follows": True})
    states = _settled(ground, 3)
    failed = [push for push in ground.facts()["pushes"] if push[1] == "failed"]
    return sum(states.values()) == 3 and not failed, f"{dict(states)}; {len(failed)} pushes failed"
