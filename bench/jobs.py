"""A job of many template messages: the real worker against the simulator, killed in the middle, then everybody is counted.

    .venv/bin/python -m bench.jobs [--people 10000] [--latency 0.1] [--database postgres://…/postgres]

One worker, the simulator answering after `--latency` seconds, kill -9 once a third and once two thirds are sent. Prints how
many a second, the worker's memory, and who got the message twice or not at all; exit status 1 when an expectation did not hold.
"""

import argparse
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from bench.stand import Stand, fresh_postgres, memory_of

SEND = "/cgi-bin/message/template/send"
RATE, MEGABYTES = 100, 150  # what is expected of one worker
MAKE = """
from django.utils import timezone; from bench import pushes
from wechat import conf, jobs, template_catalogue
from wechat.models import Account, Follower, MessageTemplate
account = Account.objects.get(); now = timezone.now()
seen = dict(account=account, first_seen=now, last_seen=now)
Follower.objects.bulk_create([Follower(openid=openid, **seen) for openid in open({people!r}).read().split()], batch_size=500)
template_catalogue.synchronise(conf.account_by_id(account.pk))
template = MessageTemplate.objects.filter(kind="template", title="报价生成通知").first()
data = dict(thing1="整装报价", amount2="86500.00元", time3="2026年1月5日 15:01", number4="89")
job = jobs.start(template, jobs.content_of(template, data), dict(kind="followers"), name="bench")
print(job.pk, job.total)
"""
STATE = """
import json; from wechat import job_progress; from wechat.models import SendJob
job = SendJob.objects.get(); progress = job_progress.progress_of(job)
print(json.dumps([job.state, vars(progress) | dict(troubles=[vars(each) for each in progress.troubles])]))
"""


class Run:
    """One job on a stand, and what is seen of it."""

    def __init__(self, stand: Stand, people: int, latency: float) -> None:
        self.stand, self.people, self.latency = stand, people, latency
        self.memory, self.begun, self.lost = 0.0, 0.0, 0.0
        account = self.stand.simulator("accounts")["accounts"][0]
        self.appid = account["appid"]

    def sent(self) -> int:
        """How many messages the platform took."""
        return int(self.stand.simulator(f"accounts/{self.appid}/sent?limit=0")["total"])

    def prepare(self) -> None:
        """People on both sides, a slow platform, a job."""
        made = self.stand.simulator("persons", {"count": self.people, "follows": True})["persons"]
        names = Path(self.stand.folder.name) / "people"
        names.write_text("\n".join(person["openid"] for person in made))
        self.stand.simulator("faults", {"path": SEND, "kind": "slow", "seconds": self.latency})
        self.begun = time.monotonic()
        self.stand.shell(MAKE.format(people=str(names)))

    def until(self, number: int) -> None:
        """Wait until so many are sent, and watch the memory."""
        deadline = time.monotonic() + 60 + self.people / 20
        while self.sent() < number and time.monotonic() < deadline:
            self.memory = max(self.memory, memory_of(self.stand.processes["worker"].pid))
            time.sleep(0.25)

    def kill(self) -> None:
        """End the worker as a power failure would, and start another."""
        self.stand.kill("worker")
        self.stand.start_worker()

    def speed(self, start: int, end: int) -> float:
        """Messages a second between these numbers."""
        self.until(start)
        first, began = self.sent(), time.monotonic()
        self.until(end)
        return (self.sent() - first) / (time.monotonic() - began)


def job(stand: Stand, people: int, latency: float) -> tuple[bool, str]:
    """A job for many: fast enough, flat memory, killed twice, nobody twice and nobody missing."""
    run = Run(stand, people, latency)
    run.prepare()
    rate = run.speed(people // 50, people // 3)
    run.kill()
    run.until(2 * people // 3)
    run.kill()
    run.until(people)
    seconds = time.monotonic() - run.begun
    stand.wait(lambda: json.loads(stand.shell(STATE))[0] == "done", 60)
    time.sleep(12)  # the reports of the last ones, and of those that were repeated
    state, progress = json.loads(stand.shell(STATE))
    told = stand.simulator(f"accounts/{run.appid}/sent?limit=0")
    right = told["total"] == told["persons"] == people and not told["repeated"]
    held = right and rate >= RATE and run.memory < MEGABYTES and state == "done" and progress["sent"] == people
    figures = (
        f"{rate:.0f} a second before the first kill, {people / seconds:.0f} over all with two kills ({seconds:.0f} s); "
        f"{run.memory:.0f} MB; of {people}: {told['persons']} got it, {len(told['repeated'])} twice; "
        f"job {state}: {progress['sent']} sent, {progress['delivered']} delivered"
    )
    return held, figures


def main() -> int:
    """Run it on a stand of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds until the platform answers")
    parser.add_argument("--database", help="a PostgreSQL server, postgres://…/postgres; default: SQLite")
    options = parser.parse_args()
    with (
        fresh_postgres(options.database) if options.database else nullcontext("") as database,
        Stand(database) as stand,
    ):
        held, figures = job(stand, options.people, options.latency)
    print(f"{'holds ' if held else 'BROKEN'} {figures}", flush=True)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
