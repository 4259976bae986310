"""Databases of earlier versions come up to the present one, whatever stood in a migration when they were made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from installation import Installation

NAMES = "SELECT name FROM sqlite_master WHERE name = 'journey_of_source'"
INDEX = "CREATE INDEX journey_of_source ON orders_journey (account_id, source_id, day)"


@pytest.mark.parametrize("had_it", [False, True])
def test_the_index_of_one_codes_journeys_is_there_afterwards(tmp_path: Path, had_it: bool) -> None:
    one = Installation(tmp_path)
    one.done("migrate", "orders", "0003", "-v0")
    assert one.query(NAMES) == []
    if had_it:
        with closing(sqlite3.connect(one.file)) as database:
            database.execute(INDEX)
    one.done("migrate", "-v0")
    assert one.query(NAMES) == [("journey_of_source",)]
