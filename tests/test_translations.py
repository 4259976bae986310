"""The Chinese catalogue: complete, compiled from what stands in it, and in step with the source."""

import ast
import gettext
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from quotes import ROOT

CATALOGUE = ROOT / "wxhub" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = ("wxhub", "orders", "wechat", "templates", "static")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|##[A-Z]+##")


@dataclass
class Entry:
    """One message of a catalogue. `texts` go by keyword: msgid, msgid_plural, msgstr, msgstr[0], msgctxt."""

    texts: dict[str, str] = field(default_factory=dict)
    fuzzy: bool = False

    @property
    def key(self) -> str:
        """The key under which the compiled catalogue has it."""
        context = self.texts.get("msgctxt")
        return self.texts["msgid"] if context is None else f"{context}\x04{self.texts['msgid']}"

    @property
    def source(self) -> str:
        """The English text; of two the one for many, as Chinese has one form for all numbers."""
        return self.texts.get("msgid_plural", self.texts["msgid"])

    @property
    def translations(self) -> list[str]:
        return [text for name, text in self.texts.items() if name.startswith("msgstr")]


def entries(path: Path) -> Iterator[Entry]:
    """The living messages of a .po file, without its header."""
    for block in path.read_text("utf-8").split("\n\n"):
        entry, name = Entry(), ""
        for line in block.splitlines():
            if line.startswith("#,") and "fuzzy" in line:
                entry.fuzzy = True
            if line.startswith("#") or not line.strip():
                continue
            if found := re.match(r"(msg\w+(?:\[\d])?) (.*)", line):
                name, line = found[1], found[2]
            entry.texts[name] = entry.texts.get(name, "") + ast.literal_eval(line)
        if entry.texts.get("msgid"):
            yield entry


@pytest.fixture(scope="module")
def catalogue() -> list[Entry]:
    """The committed catalogue."""
    return list(entries(CATALOGUE))


def test_every_message_is_translated(catalogue: list[Entry]) -> None:
    assert len(catalogue) > 100
    assert [entry.key for entry in catalogue if entry.fuzzy or not all(entry.translations)] == []


def test_every_translation_keeps_the_placeholders(catalogue: list[Entry]) -> None:
    wrong = [
        entry.key
        for entry in catalogue
        for text in entry.translations
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(entry.source))
    ]
    assert wrong == []


def test_the_compiled_catalogue_is_not_stale(catalogue: list[Entry]) -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as compiled:
        known = gettext.GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]
    singular = {entry.key: entry.texts["msgstr"] for entry in catalogue if "msgstr" in entry.texts}
    assert {key: text for key, text in known.items() if key and isinstance(key, str)} == singular, "make messages"
    plural = {entry.key: entry.texts["msgstr[0]"] for entry in catalogue if "msgstr[0]" in entry.texts}
    assert {key[0]: text for key, text in known.items() if isinstance(key, tuple) and key[1] == 0} == plural


def test_every_message_of_the_source_is_in_the_catalogue(catalogue: list[Entry], tmp_path: Path) -> None:
    if not shutil.which("xgettext"):
        pytest.skip("xgettext is not installed (apt-get install gettext)")
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__", "vendor", "locale", "*.png")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    (tmp_path / "wxhub" / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "-l", "zh_Hans", "--no-wrap"]
    environment = {"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "wxhub.settings", "PATH": "/usr/bin:/bin"}
    environment["PATH"] = f"{Path(shutil.which('xgettext') or '').parent}:{environment['PATH']}"
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    collected = {entry.key for entry in entries(tmp_path / "wxhub/locale/zh_Hans/LC_MESSAGES/django.po")}
    known = {entry.key for entry in catalogue}
    assert sorted(collected - known) == [], "run make messages and translate what is new"
    assert sorted(known - collected) == [], "run make messages: these are used no more"
