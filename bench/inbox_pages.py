"""Opens every page of the inbox in a full database, as its staff do, and removes old pushes while new ones come in.

Runs inside the project, see bench.inbox. Prints milliseconds; True when each page took less than a second.
"""

import threading
import time
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import connections
from django.test import Client
from django.urls import reverse

from bench import inbox_rows as rows
from bench import pushes
from wechat import conf, digest, retention
from wechat.models import Account, Membership, Push, Rule

LIMIT, TIMES = 1000.0, 3  # ms; requests of each page
BATCHES = 40  # of the digest
REMOVED = 90  # days after which retention removes, of rows.DAYS

Case = tuple[str, str, dict[str, Any]]


def run(count: int) -> bool:
    """Make the rows and measure. True when every page was in time."""
    began = time.perf_counter()
    rows.make(count)
    print(f"{count} pushes made in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    done = sum(digest.run() for _batch in range(BATCHES))
    print(f"digest: {done / (time.perf_counter() - began):.0f} pushes/s")
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    print(f"\n{'page':44}{'superuser':>22}{'member of small':>22}   (ms: first, slowest of the rest)")
    slowest = max([_measure(case, boss, _member()) for case in _cases(count)])
    print(f"\nslowest: {slowest:.0f} ms")
    _remove()
    return slowest < LIMIT


def _member() -> Client:
    """A member of the account with few pushes, who may look at everything."""
    user, created = User.objects.get_or_create(username="member", is_staff=True)
    if created:
        Membership.objects.create(user=user, account=Account.objects.get(slug="small"))
        user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


def _measure(case: Case, *clients: Client) -> float:
    name, address, query = case
    taken = [[_request(client, address, query) for _time in range(TIMES)] for client in clients]
    columns = "".join(f"{series[0]:12.0f}{max(series[1:]):10.0f}" for series in taken)
    print(f"{name:44}{columns}", flush=True)
    return max(max(series) for series in taken)


def _request(client: Client, address: str, query: dict[str, Any]) -> float:
    began = time.perf_counter()
    response = client.get(address, query)
    if response.status_code not in (200, 302, 403):  # a member is refused what belongs to another account
        raise SystemExit(f"{address} {query}: {response.status_code}")
    return (time.perf_counter() - began) * 1000


def _cases(count: int) -> Iterator[Case]:
    inbox = reverse("admin:wechat_push_changelist")
    for name, query in _questions(count):
        yield name, inbox, query
    shown = {
        "page of an answered push": Push.objects.filter(answered_by="rule").latest("pk").pk,
        "page of a failed push": Push.objects.filter(state="failed").latest("pk").pk,
        "page of a scan": Push.objects.filter(kind="qr").latest("pk").pk,
        "page of the first push": 1,
    }
    for name, pk in shown.items():
        yield name, reverse("admin:wechat_push_change", args=[pk]), {}
    answered = shown["page of an answered push"]
    yield "run again without effects", reverse("admin:wechat_push_rehearse", args=[answered]), {}
    yield "copy as test file", reverse("admin:wechat_push_as_test_file", args=[answered]), {}
    yield "the first page", reverse("admin:index"), {}


def _questions(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    accounts = dict(Account.objects.values_list("slug", "pk"))
    rules = list(Rule.objects.order_by("pk").values_list("pk", flat=True))
    yield "list", {}
    yield "page 2", {"p": 2}
    yield "last page", {"p": count // 50}
    yield "beyond the last page", {"p": count}
    for fate in ("failed", "unanswered", "rule", "welcome", "handler"):
        yield f"{fate}{' (none)' if fate == 'welcome' else ''}", {"fate": fate}
    yield "failed, last page", {"fate": "failed", "p": count // 2000 // 50}
    for kind in ("text", "view", "click", "video", "annual_renew"):
        sort = {"view": " (common, none)", "video": " (rare, none)", "annual_renew": " (one, the oldest)"}
        yield f"kind {kind}{sort.get(kind, '')}", {"kind": kind}
    yield "kind text, last page", {"kind": "text", "p": int(count * 0.38) // 50}
    for slug in ("big", "safe", "small", "empty"):
        yield f"account {slug}", {"account__id__exact": accounts[slug]}
    yield "account small, unanswered", {"account__id__exact": accounts["small"], "fate": "unanswered"}
    yield "account empty, kind text", {"account__id__exact": accounts["empty"], "kind": "text"}
    yield "account empty, kind click", {"account__id__exact": accounts["empty"], "kind": "click"}
    yield "account small, failed", {"account__id__exact": accounts["small"], "fate": "failed"}
    yield "encrypted", {"encrypted__exact": 1}
    yield "account safe, not encrypted (none)", {"account__id__exact": accounts["safe"], "encrypted__exact": 0}
    for since in ("today", "week", "month"):
        yield f"since {since}", {"since": since}
    yield "since month, kind view (none)", {"since": "month", "kind": "view"}
    yield "rule that answers most", {"rule": rules[0]}
    yield "rule that answered long ago", {"rule": rules[rows.OLD_RULE - 1]}
    yield "rule that never answered", {"rule": rules[rows.UNUSED_RULE - 1]}
    yield "search: a person", {"q": rows.openid(77)}
    yield "search: a person without pushes", {"q": rows.openid(10**9)}
    yield "search: a quote", {"q": rows.ORDERID + 5}
    yield "search: a quote without scans", {"q": rows.ORDERID + rows.ORDERS - 1}
    yield "search: no quote", {"q": 4_000_000_000}
    yield "search: words", {"q": "营业时间"}
    yield "search: words that are nowhere", {"q": "nowhere at all"}
    yield "search: words, kind video (none)", {"q": "营业时间", "kind": "video"}


def _remove() -> None:
    """Let retention work for a while, and push as the platform does meanwhile."""
    account = Account.objects.get(slug="big")
    days = {f"wechat_keep_{name}_days": str(REMOVED) for name in ("messages", "events", "positions", "sent")}
    conf.save(account, days)
    outcome: dict[str, float] = {}
    worker = threading.Thread(target=_work, args=(outcome,))
    platform = Client()
    alone = [_push(platform) for _number in range(100)]
    worker.start()
    meanwhile = []
    while worker.is_alive():
        meanwhile.append(_push(platform))
        time.sleep(0.01)
    worker.join()
    print(
        f"\nretention: {outcome['rows'] / outcome['seconds']:.0f} rows/s ({outcome['rows']:.0f} in {outcome['seconds']:.0f} s)"
    )
    for name, series in (("alone", alone), ("meanwhile", meanwhile)):
        middle = sorted(series)[len(series) // 2]
        print(f"a push {name}: {middle:.1f} ms in the middle, {max(series):.0f} ms at most, of {len(series)}")


def _work(outcome: dict[str, float]) -> None:
    began, removed = time.perf_counter(), 0
    while turn := retention.run():
        removed += turn
    outcome.update(rows=removed, seconds=time.perf_counter() - began)
    connections.close_all()


def _push(platform: Client) -> float:
    path, body = pushes.plain("branch", pushes.text(rows.openid(1)))
    began = time.perf_counter()
    response = platform.post(path, body, content_type="text/xml")
    if response.status_code != 200:
        raise SystemExit(f"the callback answered {response.status_code}")
    return (time.perf_counter() - began) * 1000
