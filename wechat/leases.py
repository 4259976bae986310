"""Claiming, renewing and reading leases: one conditional statement each, right over processes, machines and crashes.

Times are those of the machine that claims: the clocks of all machines must agree within a second or two (NTP).

Names in use: `worker:<id>` (alive), `leader` (one worker does the chores), `chore:<name>` (its turn), `token:<account>` and
`ticket:<account>` (fetching), `renewed:<account>` (a refused token was renewed), `forced:<account>` (wechat.hub renewed it),
`circuit:<account>` (the API is failing), `paused:<account>` (quota or permission), `code:<account>:<scene>` (being made),
`retention:anew` (the walks began anew), `seen:<account>:<kind>` (wechat.sightings), `spool` (the database takes something).
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from wechat.models import Lease


def claim(name: str, holder: str, seconds: float) -> bool:
    """Take the lease if it is free or has run out (or is ours); True for at most one holder at a time."""
    now = timezone.now()
    table = connection.ops.quote_name(Lease._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (name, holder, until, note) VALUES (%s, %s, %s, '') "
            f"ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until "
            f"WHERE {table}.until <= %s OR {table}.holder = excluded.holder",
            [name, holder, _stored(now + timedelta(seconds=seconds)), _stored(now)],
        )
        return bool(cursor.rowcount > 0)


def extend(name: str, seconds: float, note: str = "") -> None:
    """Set the lease to end in `seconds` from now, whoever holds it. `note` says why, for staff."""
    until = timezone.now() + timedelta(seconds=seconds)
    Lease.objects.update_or_create(name=name, defaults={"until": until, "note": note[:300]})


def release(name: str, holder: str | None = None) -> bool:
    """Give the lease back (only if `holder` has it, when given). True if there was one."""
    leases = Lease.objects.filter(name=name)
    return bool((leases if holder is None else leases.filter(holder=holder)).delete()[0])


def sweep() -> None:
    """Remove what ran out more than a day ago: killed processes give nothing back."""
    Lease.objects.filter(until__lt=timezone.now() - timedelta(days=1)).delete()


def is_held(name: str) -> bool:
    """Whether the lease runs at this moment. Reads the database; the callback reads wechat.conf's snapshot instead."""
    return Lease.objects.filter(name=name, until__gt=timezone.now()).exists()


def _stored(moment: datetime) -> Any:
    """The moment as the database keeps it: SQLite has text in its place."""
    return connection.ops.adapt_datetimefield_value(moment)
