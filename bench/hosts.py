"""Several hosts of one installation, each in a network namespace: two with a site, two with a worker, one PostgreSQL.

    sudo .venv/bin/python -m bench.hosts [--server postgres://…/postgres] [--redis 127.0.0.1:6379]

In a burst one site and the leading worker are cut off (their cable is pulled), later the other site is killed; then they come
back. Nobody may be missing, nobody may get a card twice but where the outcome stayed unknown and is marked, the token is
fetched by one at a time, and another worker leads within 15 s. Exit status 1 when that did not hold. Needs root, and `ip`.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

from bench.soak.ground import Ground
from bench.soak.invariants import broken
from bench.stand import GRANIAN, fresh_postgres

BRIDGE, NET = "wxhub0", "10.77.0"
SITES, WORKERS = ("site1", "site2"), ("work1", "work2")
BURST, RATE = range(10_000, 10_800), 40
FOLLOWED_WITHIN = 15.0  # seconds


def ip(*arguments: str) -> None:
    """One command of iproute2."""
    subprocess.run(["ip", *arguments], check=True)


class Hosts(Ground):
    """The stand on several hosts. What they share lies on this machine: the database, Redis, the simulator, a balancer."""

    def __init__(self, database: str, shared: dict[str, str]) -> None:
        super().__init__(database, environment={"REDIS_URL": f"redis://{shared['redis']}/0"})
        self.shared = [*shared.values(), f"127.0.0.1:{self.platform}"]

    def address(self, host: str) -> str:
        """Of this host in the network of the hosts."""
        return f"{NET}.{(*SITES, *WORKERS).index(host) + 2}"

    def __enter__(self) -> Self:
        self._wire()
        sites = ",".join(f"{self.address(host)}:{self.site}" for host in SITES)
        ours = [f"{NET}.1:{address.rpartition(':')[2]}={address}" for address in self.shared]
        self.start("balancer", "-m", "bench.forward", f"127.0.0.1:{self.site}={sites}", *ours)
        return super().__enter__()

    def __exit__(self, *exception: Any) -> None:
        super().__exit__(*exception)
        for host in (*SITES, *WORKERS):
            ip("netns", "del", f"wx-{host}")
        ip("link", "del", BRIDGE)

    def _wire(self) -> None:
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{NET}.1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for host in (*SITES, *WORKERS):
            ip("netns", "add", f"wx-{host}")
            ip("link", "add", f"v-{host}", "type", "veth", "peer", "name", "eth0", "netns", f"wx-{host}")
            ip("link", "set", f"v-{host}", "master", BRIDGE, "up")
            for command in (
                ("addr", "add", f"{self.address(host)}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                ip("-n", f"wx-{host}", *command)

    def start_web(self, name: str = "") -> None:
        """The site on this host, or on all."""
        for host in (name,) if name else SITES:
            options = ["--host", self.address(host), "--port", str(self.site), "--blocking-threads", "8"]
            self._on(host, GRANIAN, "--interface", "wsgi", "wxhub.wsgi:application", *options, "--log-level", "error")

    def start_worker(self, name: str = "") -> None:
        """A worker on this host, or on all."""
        for host in (name,) if name else WORKERS:
            self._on(host, sys.executable, "manage.py", "worker")

    def _on(self, host: str, *command: str) -> None:
        """Run it there. What the hosts share is reached on their own loopback address, by one more forwarder."""
        if f"{host} forward" not in self.processes:
            ways = [f"{address}={NET}.1:{address.rpartition(':')[2]}" for address in self.shared]
            self._there(f"{host} forward", host, sys.executable, "-m", "bench.forward", *ways)
            time.sleep(0.5)
        self._there(host, host, *command)

    def _there(self, name: str, host: str, *command: str) -> None:
        self._run(name, ["ip", "netns", "exec", f"wx-{host}", *command])

    def cut(self, host: str) -> None:
        """Pull its cable."""
        ip("link", "set", f"v-{host}", "down")

    def heal(self, host: str) -> None:
        """Put it back."""
        ip("link", "set", f"v-{host}", "up")

    def leader(self) -> str:
        """The host whose worker leads; "" when none does at this moment."""
        code = (
            "from django.utils import timezone; from wechat.models import Lease; "
            "held = Lease.objects.filter(name='leader', until__gt=timezone.now()); "
            "print(held.values_list('holder', flat=True).first() or '')"
        )
        holder = self.shell(code).strip()
        found = [host for host in WORKERS if f":{self.processes[host].pid}:" in holder]
        return found[0] if found else ""


def run(hosts: Hosts) -> tuple[bool, list[str]]:
    """Whether all held, and what came of it."""
    hosts.wait(hosts.leader)
    leader = hosts.leader()
    driving = hosts.meanwhile_scans(BURST, rate=RATE)
    time.sleep(4)
    hosts.cut("site1")
    hosts.cut(leader)
    followed = _seconds(lambda: hosts.leader() not in ("", leader), 40)
    hosts.heal("site1")
    time.sleep(2)
    hosts.kill("site2")
    time.sleep(2)
    hosts.start_web("site2")
    hosts.heal(leader)
    driving.join()
    unheld = broken(hosts)
    facts, got = hosts.facts(), Counter(entry["openid"] for entry in hosts.accepted())
    states = Counter(message["state"] for message in facts["messages"])
    passive, marked = hosts.passive(), sum(message["unknown_outcomes"] > 0 for message in facts["messages"])
    owed, twice = states["owed"], sum(count > 1 for count in got.values())
    missing = len(BURST) - len(got) - passive - owed
    counters, told = hosts.simulator("counters"), driving.told
    lines = [
        f"{len(BURST)} scans at {RATE} a second: {len(got)} cards by API, {passive} as the answer, {owed} owed",
        f"{missing} missing",
        f"{twice} twice, {marked} marked as unknown; outcomes of the pushes: {told['outcomes']}",
        f"token: {counters['token_fetches']} fetches, at most {counters['fetch_peak']} at once",
        f"{leader} was cut off while it led; another led after {followed:.1f} s",
        *unheld,
    ]
    held = missing <= 0 and twice <= marked and counters["fetch_peak"] == 1 and followed < FOLLOWED_WITHIN
    return held and not unheld, lines


def _seconds(condition: Callable[[], bool], most: float) -> float:
    began = time.monotonic()
    while time.monotonic() - began < most and not condition():
        time.sleep(0.2)
    return time.monotonic() - began


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--redis", default="127.0.0.1:6379")
    options = parser.parse_args()
    where = options.server.partition("@")[2].partition("/")[0]
    with fresh_postgres(options.server) as database, Hosts(database, {"sql": where, "redis": options.redis}) as hosts:
        held, lines = run(hosts)
    print(*lines, "holds" if held else "BROKEN", sep="\n")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
