"""Every row of the attacks D1 … D5 has a test of its name: test_d101_… and so on."""

import re
from pathlib import Path

ROWS = {1: 9, 2: 11, 3: 4, 4: 13, 5: 11}  # how many rows each group has


def test_every_attack_has_a_test_by_its_name() -> None:
    text = "\n".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    named = set(re.findall(r"^def test_d(\d{3})_", text, re.MULTILINE))
    wanted = {f"{group}{row:02}" for group, rows in ROWS.items() for row in range(1, rows + 1)}
    assert wanted - named == set()
