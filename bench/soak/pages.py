"""C4: pages, staff and operations while something fails."""

import threading
import time
from urllib.request import urlopen

from bench.soak.ground import Ground
from bench.soak.rows import Judged, held_by, row

CREATE = "/cgi-bin/qrcode/create"


def _page(ground: Ground) -> str:
    """The address of a quote's page."""
    ground.orders(range(1, 2))
    return ground.shell("from orders.models import Order; print(Order.objects.get().get_absolute_url())").strip()


@row("C401", "the quote page while the API is down")
def page_without_api(ground: Ground) -> Judged:
    page = _page(ground)
    ground.get(page)
    ground.fault("/cgi-bin/*", "hang", seconds=60)
    answers = sorted(ground.get(page) for _ in range(20))
    ground.well()
    slowest = max(seconds for _status, seconds in answers)
    return all(
        status == 200 for status, _ in answers
    ) and slowest < 0.3, f"20 pages, the slowest {slowest * 1000:.0f} ms"


held_by("C402", "the avatar's host is slow, 404, 10 MB, HTML, SVG", "tests/test_shared_page.py")


@row("C403", "making a code fails (−1, 45009, 40001): the page says so, and repeats by itself")
def no_code(ground: Ground) -> Judged:
    page, told = _page(ground), []
    for errcode in (-1, 45009, 40001):
        ground.fault(CREATE, "errcode", errcode=errcode)
        told.append(_state(ground, page))
        ground.well()
        time.sleep(6)
    after = _state(ground, page)
    return set(told) == {"unavailable"} and after == "waiting", f"while it fails: {told}; afterwards: {after}"


def _state(ground: Ground, page: str) -> str:
    with urlopen(f"http://127.0.0.1:{ground.site}{page}", timeout=10) as response:
        return str(response.read().decode().split('data-state="', 1)[1].split('"', 1)[0])


held_by("C404", "the code ran out", "tests/test_quote_page.py::test_a_code_that_has_run_out_is_replaced_on_reload")


@row("C405", "200 people poll the quote page", threads=16)
def polling(ground: Ground) -> Judged:
    page = _page(ground)
    ground.get(page)
    before = ground.simulator("counters")
    asked: list[float] = []
    stop = time.monotonic() + 20

    def visitor(number: int) -> None:
        time.sleep(number / 100)
        while time.monotonic() < stop:
            asked.append(ground.get(f"{page}status")[1])
            time.sleep(2)

    visitors = [threading.Thread(target=visitor, args=(number,)) for number in range(200)]
    for each in visitors:
        each.start()
    for each in visitors:
        each.join()
    calls = ground.simulator("counters") != before
    p99 = sorted(asked)[len(asked) * 99 // 100]
    return not calls, f"{len(asked) / 20:.0f} a second, p99 {p99 * 1000:.0f} ms; calls to the API: {calls}"


held_by("C406", "publishing a menu fails half-way", "tests/test_menus.py", "tests/test_admin_menus.py")
held_by("C407", "admin lists with 1,000,000 pushes: measured by bench.inbox", "tests/test_admin_inbox.py")
held_by("C408", "the retention job is killed", "tests/test_retention.py")


@row("C409", "a migration on a live database with 100,000 rows", threads=16, slow=True)
def migration(ground: Ground) -> Judged:
    ground.shell(_MANY)
    driving = ground.meanwhile_scans(range(1, 301), rate=20)
    time.sleep(2)
    began = time.monotonic()
    ground.shell(_ALTER)
    took = time.monotonic() - began
    driving.join()
    ms = driving.told["ms"]
    held = not driving.told["not_200"] and ms["max"] < 5000
    return held, f"a column and an index added in {took:.1f} s; the slowest answer meanwhile {ms['max']:.0f} ms"


_MANY = (
    "from django.utils import timezone; from wechat.models import *; account = Account.objects.get(); "
    "filled = {'account': account, 'received_at': timezone.now(), 'kind': 'text'}; "
    "Push.objects.bulk_create((Push(key=f'k{n}', openid=f'o{n}', raw=f'<xml>{n}</xml>', **filled) for n in range(100_000)), "
    "batch_size=2000)"
)
# What a later version's migration would do: one column that may be empty, and one index.
_ALTER = (
    "from django.db import connection, models; from wechat.models import Push; "
    "field = models.CharField(max_length=20, null=True); field.set_attributes_from_name('added'); "
    "editor = connection.schema_editor(atomic=False); editor.__enter__(); editor.add_field(Push, field); "
    "editor.execute('CREATE INDEX ' + ('CONCURRENTLY ' if connection.vendor == 'postgresql' else '') "
    "+ 'added_later ON wechat_push (added)'); editor.__exit__(None, None, None)"
)

held_by("C411", "1,000 equal errors", "tests/test_alarms.py")
held_by("C412", "the health page", "tests/test_metrics.py", "tests/test_site.py")
