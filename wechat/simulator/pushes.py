"""Delivers pushes to the callback URL, repeats them as the platform does, and shows the answer on the phone.

In: an account, a person and the nodes of a push. Out: a journal entry that fills up as the deliveries go on.
Source: wechat-inbound.md, section 6.
"""

import re
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from wechat.simulator.accounts import Account, Person
from wechat.simulator.alarm import Alarm
from wechat.simulator.envelopes import Envelope, Nodes, seal, verification_query, write_nodes
from wechat.simulator.faults import Fault
from wechat.simulator.journal import Entry
from wechat.simulator.replies import Verdict, judge
from wechat.simulator.state import Platform

PARALLEL = 128
HEADERS = {"User-Agent": "Mozilla/4.0", "Content-Type": "text/xml", "Accept": "*/*"}
SHOWN_BYTES = 600  # of an answer in the journal
FAILURE_LINE = "该公众号提供的服务出现故障，请稍后再试"  # what the phone shows, verbatim
# Nothing is shown whatever the answer.
INVISIBLE = re.compile("unsubscribe|LOCATION|VIEW|view_miniprogram|TEMPLATESENDJOBFINISH|subscribe_msg_.*|kf_.*")


@dataclass(frozen=True)
class Copies:
    """How many times a push is delivered at once: with one and the same query, or each `fresh`ly signed."""

    count: int = 1
    fresh: bool = False


ONE = Copies()


@dataclass
class Push:
    """One push under way. `trigger` is its MsgType, `name` its event, or its MsgType if it is no event."""

    account: Account
    person: Person
    name: str
    trigger: str
    xml: str
    entry: Entry
    timestamp: int
    wrong_signature: bool = False
    done: "Future[Entry]" = field(default_factory=Future)
    waiting: int = 1  # deliveries (copies) that have not ended
    shown: bool = False

    def envelope(self) -> Envelope:
        """A freshly signed request for this push."""
        return seal(
            self.account,
            self.xml,
            openid=self.person.openid,
            timestamp=self.timestamp,
            wrong_signature=self.wrong_signature,
        )


class Pushes:
    """The sender: a pool of threads and one kept-alive session."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._pool = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="push")
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies: the callback is on this machine
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=PARALLEL)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._held: list[Push] = []
        self._closing = threading.Event()
        self.alarm = Alarm()

    def close(self) -> None:
        """Send nothing more; what is under way ends by itself."""
        self._closing.set()
        self.alarm.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def send(
        self,
        account: Account,
        person: Person,
        name: str,
        nodes: Nodes,
        *,
        trigger: str = "event",
        copies: Copies = ONE,
    ) -> Push:
        """Push `nodes` (what follows MsgType). Returns at once; `push.done` is the finished journal entry."""
        now = int(self.platform.clock.now())
        ends: Nodes = [("ToUserName", account.original_id), ("FromUserName", person.openid)]
        xml = write_nodes([*ends, ("CreateTime", now), ("MsgType", trigger), *nodes])
        facts = {"appid": account.appid, "openid": person.openid, "event": name, "xml": f"<xml>{xml}</xml>"}
        with self.platform.lock:
            fault = self.platform.faults.take("push", name, lambda: account.appid)
            entry = self.platform.note("push", outcome="waiting", attempts=[], **facts)
            self.platform.counters["pushes"] += 1
        push = Push(account, person, name, trigger, xml, entry, now)
        if fault:
            self._misbehave(push, fault)
        else:
            self._deliver(push, copies)
        return push

    def _misbehave(self, push: Push, fault: Fault) -> None:
        push.entry["fault"] = fault.kind
        if fault.kind == "drop":
            self._finish(push, "dropped")
        elif fault.kind == "copies":
            self._deliver(push, Copies(max(1, fault.count), fresh=fault.fresh))
        elif fault.kind == "late":
            self._later(fault.wait, self._deliver, push)
        elif fault.kind == "swap":
            self._held.append(push)
            self._later(fault.wait, self._release, push)
        elif fault.kind == "signature":
            push.wrong_signature = True
            self._deliver(push)
        else:
            push.timestamp -= int(fault.wait)
            self._deliver(push)

    def _deliver(self, push: Push, copies: Copies = ONE) -> None:
        push.waiting = copies.count
        first = push.envelope()
        for number in range(copies.count):
            self._submit(push, push.envelope() if copies.fresh and number else first)
        held, self._held = self._held, []
        for other in held:
            push.done.add_done_callback(partial(self._overtaken, other))

    def _overtaken(self, push: Push, other: "Future[Entry]") -> None:
        self._deliver(push)

    def _release(self, push: Push) -> None:
        """Let go of a held push that no other push came to overtake."""
        if push in self._held:
            self._held.remove(push)
            self._deliver(push)

    def _later(self, seconds: float, act: Any, push: Push) -> None:
        self.alarm.after(seconds, partial(act, push))

    def _submit(self, push: Push, envelope: Envelope) -> None:
        if not self._closing.is_set():
            self._pool.submit(self._attempts, push, envelope)

    def _attempts(self, push: Push, envelope: Envelope) -> None:
        """Deliver one copy: again and again with the same query until status 200, at most four times."""
        settings = self.platform.settings
        verdict = Verdict("failed")
        for number in range(1 + settings.push_repeats):
            if number and self._closing.wait(settings.push_pause):
                return
            verdict = self._attempt(push, envelope, number)
            if verdict.kind != "refused":
                break
        with self.platform.lock:
            self._show(push, verdict)
            push.waiting -= 1
            outcome = {"silent": "accepted", "failed": "failed", "refused": "failed"}.get(verdict.kind, "reply")
            self._finish(push, outcome)

    def _attempt(self, push: Push, envelope: Envelope, number: int) -> Verdict:
        """One delivery. A verdict of kind `refused` asks for a repeat."""
        started = time.monotonic()
        attempt: dict[str, Any] = {"number": number, "status": None, "answer": ""}
        timeout = self.platform.settings.push_timeout
        try:
            response = self._session.post(
                f"{push.account.callback_url}?{envelope.query}",
                data=envelope.body,
                headers=HEADERS,
                timeout=timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            attempt["answer"] = type(error).__name__
            verdict = Verdict("refused", reason="no answer")
        else:
            attempt["status"] = response.status_code
            attempt["answer"] = response.content[:SHOWN_BYTES].decode("utf-8", "replace")
            verdict = self._verdict(push, response)
        attempt["ms"] = round((time.monotonic() - started) * 1000, 1)
        attempt["verdict"] = verdict.reason or verdict.kind
        with self.platform.lock:
            self.platform.counters["deliveries"] += 1
            push.entry["attempts"].append(attempt)
            self.platform.touch(push.entry)
        return verdict

    def _verdict(self, push: Push, response: requests.Response) -> Verdict:
        if response.status_code != 200:
            return Verdict("refused", reason=f"status {response.status_code}")
        now = self.platform.clock.now()
        return judge(push.account, response.content, openid=push.person.openid, trigger=push.trigger, now=now)

    def _show(self, push: Push, verdict: Verdict) -> None:
        """Put the answer into the chat: of several copies only the first one that has something to show."""
        if push.shown or INVISIBLE.fullmatch(push.name) or verdict.kind == "silent":
            return
        if verdict.kind in ("failed", "refused"):
            if push.waiting > 1:
                return
            self.platform.say(push.person, who="system", kind="notice", text=FAILURE_LINE)
        else:
            self.platform.say(push.person, who="account", kind=verdict.kind, via="passive", **verdict.content)
        push.shown = True

    def _finish(self, push: Push, outcome: str) -> None:
        """Note the outcome; a copy that was accepted outweighs others that were not."""
        with self.platform.lock:
            if outcome != "failed" or push.entry["outcome"] == "waiting":
                self.platform.touch(push.entry, outcome=outcome)
            if outcome == "dropped":
                push.waiting = 0
            if push.waiting > 0:
                return
            self.platform.counters[f"pushes_{push.entry['outcome']}"] += 1
        push.done.set_result(push.entry)

    def verify(self, account: Account) -> dict[str, Any]:
        """The console's check of the callback URL: a signed GET that must be answered with its echostr."""
        query, echostr = verification_query(account, timestamp=int(self.platform.clock.now()))
        try:
            response = self._session.get(
                f"{account.callback_url}?{query}", headers=HEADERS, timeout=5, allow_redirects=False
            )
        except requests.RequestException as error:
            return {"ok": False, "status": None, "answer": type(error).__name__}
        answer = response.content[:SHOWN_BYTES].decode("utf-8", "replace")
        return {
            "ok": response.status_code == 200 and response.content == echostr.encode(),
            "status": response.status_code,
            "answer": answer,
        }
