"""Everything that happened, newest last: calls, pushes, messages, what persons did.

An entry that changes (a push gets its answer) takes a new `seq` and moves to the end, so that whoever asks for "all
since seq N" sees it again under its old `id`.
"""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Any

Entry = dict[str, Any]
KEPT = 50_000


class Journal:
    """A bounded list of entries. The caller holds the platform's lock."""

    def __init__(self, *, kept: int = KEPT, seq: int = 0) -> None:
        self._kept = kept
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._ids = self.seq = seq

    def add(self, kind: str, now: float, **fields: Any) -> Entry:
        """Note that something of `kind` happened at `now` (Unix seconds)."""
        self._ids += 1
        self.seq += 1
        entry: Entry = {"id": self._ids, "seq": self.seq, "kind": kind, "time": round(now, 3), **fields}
        self._entries[self._ids] = entry
        if len(self._entries) > self._kept:
            self._entries.popitem(last=False)
        return entry

    def touch(self, entry: Entry) -> None:
        """The entry has changed: show it again to whoever follows the journal."""
        self.seq += 1
        entry["seq"] = self.seq
        if entry["id"] in self._entries:
            self._entries.move_to_end(entry["id"])

    def find(self, *, since: int = 0, limit: int = 200, **wanted: Any) -> list[Entry]:
        """At most `limit` entries with seq above `since`, oldest first, whose fields equal `wanted` (None: any)."""
        filters = {name: value for name, value in wanted.items() if value is not None}
        newest = islice(self._newest_first(since, filters), limit)
        return list(newest)[::-1]

    def _newest_first(self, since: int, filters: dict[str, Any]) -> Iterator[Entry]:
        for entry in reversed(self._entries.values()):
            if entry["seq"] <= since:
                return
            if all(entry.get(name) == value for name, value in filters.items()):
                yield entry
