"""The whole state of the simulator behind one lock: accounts, persons, codes, faults, journal, counters.

Every method takes the lock itself; it is re-entrant, so callers may hold it over several steps.
"""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wechat.simulator.accounts import Account, Code, Person
from wechat.simulator.avatars import AVATARS
from wechat.simulator.clock import Clock
from wechat.simulator.envelopes import Nodes
from wechat.simulator.faults import FaultBoard
from wechat.simulator.grants import Grants
from wechat.simulator.journal import Entry, Journal
from wechat.simulator.library import Media
from wechat.simulator.rids import RidBook

DEFAULT_ACCOUNT: dict[str, Any] = {
    "appid": "wx0123456789abcdef",
    "secret": "0123456789abcdef0123456789abcdef",
    "token": "simulatortoken",
    "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "original_id": "gh_0123456789ab",
    "callback_url": "http://127.0.0.1:8000/wechat/demo/callback",
}
CHAT_KEPT = 500
FILES_KEPT = 2_000
Announce = Callable[[Account, Person, Nodes], None]


@dataclass
class Settings:
    """How the platform behaves in general. Times are seconds."""

    push_timeout: float = 5.0
    push_pause: float = 1.0  # between a refused delivery and its repeat
    push_repeats: int = 3
    code_seconds_default: int = 60
    clamp_code_seconds: bool = True  # an expire_seconds out of range: clamp it, or refuse with 40053
    oauth_domain: str = ""  # the web-authorization domain; empty: any host
    js_domains: str = ""  # the JS-secure domains, with spaces between them; empty: any host
    job_seconds: float = 0.3  # between a template message and the event that says what became of it


def _nobody_listens(account: Account, person: Person, nodes: Nodes) -> None:
    """Without a server there are no pushes."""


class Platform:
    """The one object that API, pushes, phone and control share."""

    def __init__(self, *accounts: Account, clock: Clock | None = None) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.clock = clock or Clock()
        self.settings = Settings()
        self.url = "http://127.0.0.1"  # the server writes its own address here
        self.accounts: dict[str, Account] = {}
        self.announce: Announce = _nobody_listens  # pushes an event that no person caused; the server sets it
        self._start_empty(seq=0)
        for account in accounts:
            self.add_account(account)

    def _start_empty(self, *, seq: int) -> None:
        self.persons: dict[str, Person] = {}
        self.codes_by_key: dict[str, tuple[Account, Code]] = {}
        self.token_owners: dict[str, Account] = {}
        self.grants = Grants()
        self.chosen: str | None = None
        self.faults = FaultBoard()
        self.latencies: dict[str, float] = {}  # seconds by path; `*` stands for any ending
        self.rids = RidBook()
        self.files: dict[str, Media] = {}  # what accounts uploaded, by its address on this server
        self.pages: dict[str, str] = {}  # configured for the JS-SDK: the address by the page's key
        self.journal = Journal(seq=seq)
        self.counters: Counter[str] = Counter()
        self._fetching = 0

    def reset(self) -> None:
        """Forget everything but the accounts' settings, and set the clock right."""
        with self.lock:
            settings = [account.settings_as_json() for account in self.accounts.values()]
            self._start_empty(seq=self.journal.seq + 1)  # numbers must not jump back for whoever follows the journal
            self.clock.offset = 0.0
            self.accounts = {}
            for setting in settings:
                self.add_account(Account(**setting))
            self.changed.notify_all()

    def add_account(self, account: Account) -> Account:
        """Add an account, or replace the one of the same appid."""
        with self.lock:
            self.accounts[account.appid] = account
            return account

    def add_person(self, account: Account, **fields: Any) -> Person:
        """A new person at `account`. Without an openid one is made up; nickname and avatar have defaults."""
        with self.lock:
            number = len(self.persons)
            openid = fields.pop("openid", None) or f"o{secrets.token_urlsafe(20)}"
            if openid in self.persons:
                raise ValueError(f"there is a person {openid} already")
            fields.setdefault("nickname", NICKNAMES[number % len(NICKNAMES)])
            fields.setdefault("avatar", AVATARS[number % len(AVATARS)])
            if fields.get("follows"):
                fields.setdefault("subscribe_time", int(self.clock.now()))
                fields.setdefault("subscribe_scene", "ADD_SCENE_SEARCH")
            person = self.persons[openid] = Person(openid=openid, appid=account.appid, **fields)
            self.chosen = self.chosen or openid
            return person

    def account_of(self, person: Person) -> Account:
        """The account that `person` belongs to."""
        return self.accounts[person.appid]

    def show_file(self, media: Media) -> None:
        """Let browsers fetch an uploaded file at its address; of very many the oldest are dropped."""
        with self.lock:
            self.files[media.picture] = media
            if len(self.files) > FILES_KEPT:
                del self.files[next(iter(self.files))]

    def delay(self, path: str) -> None:
        """Wait as long as calls of this path are to take. Not to be called under the lock."""
        with self.lock:
            orders = list(self.latencies.items())
        fits = [
            seconds for match, seconds in orders if path == match or (match[-1:] == "*" and path.startswith(match[:-1]))
        ]
        if fits:
            time.sleep(max(fits))

    def note(self, kind: str, **fields: Any) -> Entry:
        """Write a journal entry and wake whoever follows."""
        with self.lock:
            entry = self.journal.add(kind, self.clock.now(), **fields)
            self.changed.notify_all()
            return entry

    def touch(self, entry: Entry, **fields: Any) -> None:
        """Change a journal entry and wake whoever follows."""
        with self.lock:
            entry.update(fields)
            self.journal.touch(entry)
            self.changed.notify_all()

    def say(self, person: Person, *, who: str, kind: str, **content: Any) -> dict[str, Any]:
        """Put a line into the chat on the person's phone. `who` is person, account or system."""
        with self.lock:
            self.counters["lines"] += 1
            line = {
                "id": self.counters["lines"],
                "time": round(self.clock.now(), 3),
                "who": who,
                "kind": kind,
                **content,
            }
            person.chat.append(line)
            del person.chat[:-CHAT_KEPT]
            if who != "person" and person.openid != self.chosen:
                person.unread += 1
            self.note("chat", openid=person.openid, appid=person.appid, line=line)
            return line

    def wait_for_change(self, since: int, seconds: float) -> int:
        """Block until the journal is past `since`, at most `seconds`. Returns its present seq."""
        with self.changed:
            self.changed.wait_for(lambda: self.journal.seq > since, timeout=seconds)
            return self.journal.seq

    @contextmanager
    def fetching_token(self) -> Iterator[None]:
        """Count a token fetch, and the highest number of fetches under way at once."""
        with self.lock:
            self._fetching += 1
            self.counters["token_fetches"] += 1
            self.counters["fetch_peak"] = max(self.counters["fetch_peak"], self._fetching)
        try:
            yield
        finally:
            with self.lock:
                self._fetching -= 1


# Made-up people. One name has an emoji and one a raw control character: real nicknames do (wechat-api.md, section 2).
NICKNAMES = ("小王", "李梅 🌸", "Anna", "装修中的老张", "陈\x02晨", "阿杰", "Lucy", "吴先生")
