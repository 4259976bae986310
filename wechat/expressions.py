"""Expressions of staff, searched in what a person wrote: many RE2 patterns as few sets, in time that stays bounded.

Comes in: patterns, the most important first, later a text. Goes out: which of them match.
A set searches all of its patterns in one pass, but each state it meets for the first time costs as much as all patterns
that are alive in it. So a pattern weighs what it can keep alive; a set takes patterns up to a weight, less of it for longer
texts; and after LIMIT seconds no further set is asked: heavy patterns come last and are left out, and the log says so.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import re2  # type: ignore[import-untyped]

SEEN = 256  # characters of a text that expressions see
PATTERN_LENGTH = 200  # characters
PROGRAM_SIZE = 1500  # RE2 instructions of one pattern
HEAVY = 60  # an ordinary pattern weighs 5 to 30
LIMIT = 0.015  # seconds of processor time for all expressions and one text

logger = logging.getLogger(__name__)


class Refused(Exception):
    """RE2 does not take the pattern; `args` are its words for why, and the part of the pattern that it means."""


@dataclass(frozen=True)
class _Size:
    """How heavy one set may be for texts of up to `longest` bytes."""

    longest: int
    weight: int


# About 2 ns for each byte of a text and unit of weight, measured with the worst patterns we found: some 20 ms a set.
_SHORT = _Size(longest=192, weight=60_000)
_LONG = _Size(longest=SEEN * 4, weight=3_000)
_MEMORY, _LEAST_MEMORY = 32 << 20, 1 << 20  # bytes for all sets of one size together, and for any one of them
_FIRST = r"\A"  # matches always: where it does not, the set ran out of memory, and says nothing else about it


@dataclass(frozen=True, slots=True)
class Measure:
    """What one pattern is like: its size in RE2 instructions, and whether it matches an empty text, and so every text."""

    size: int
    matches_empty: bool


@lru_cache(maxsize=1 << 14)  # rules change one by one, and each change builds the index of all
def measured(pattern: str) -> Measure:
    """The measure of a pattern as RE2 understands it. Raises Refused."""
    try:
        compiled = re2.compile(pattern, _options(_LEAST_MEMORY))
    except re2.error as error:
        words, _colon, part = error.args[0].decode(errors="replace").partition(": ")
        raise Refused(words, part) from None
    except UnicodeEncodeError as error:
        raise Refused("invalid UTF-8", "") from error
    return Measure(compiled.programsize, compiled.search("") is not None)


class Expressions:
    """Patterns that measured() took, in order of importance."""

    def __init__(self, patterns: Sequence[str]) -> None:
        weighed = [_Weighed(number, pattern, _weight(pattern)) for number, pattern in enumerate(patterns)]
        weighed.sort(key=lambda entry: entry.weight > HEAVY)
        self._packs = {size: tuple(_packs(weighed, size)) for size in (_SHORT, _LONG)}
        self._told = False

    def search(self, text: str, *, limit: float = LIMIT) -> list[int]:
        """The numbers of the patterns that match somewhere in the first SEEN characters of `text`."""
        data = text[:SEEN].encode(errors="replace")
        packs = self._packs[_SHORT if len(data) <= _SHORT.longest else _LONG]
        matching: list[int] = []
        started = time.thread_time() if len(packs) > 1 else 0.0
        for asked, pack in enumerate(packs):
            if asked and time.thread_time() - started > limit:
                self._tell(len(packs) - asked, len(packs))
                break
            matching += pack.search(data)
        return matching

    def _tell(self, left_out: int, packs: int) -> None:
        if not self._told:  # once for these rules, not once for each message
            logger.error("expressions took too long: %d of %d sets of the heavy ones were left out", left_out, packs)
        self._told = True


@dataclass(frozen=True, slots=True)
class _Weighed:
    number: int
    pattern: str
    weight: int


class _OutOfMemory(Exception):
    """The set has no room for its program, or for a single search with it."""


class Pack:
    """A few patterns as one RE2 set, which any number of threads may search at once. Raises _OutOfMemory."""

    def __init__(self, patterns: Sequence[_Weighed], memory: int) -> None:
        self._patterns = patterns
        self._set = _set([entry.pattern for entry in patterns], memory)
        if not self._set.Match(b""):
            raise _OutOfMemory

    def search(self, data: bytes) -> list[int]:
        """The numbers of the patterns that match in these bytes of UTF-8."""
        matching = self._set.Match(data)
        if not matching:  # seen when thousands of patterns match one text, and the set has little memory
            return list(self._one_by_one(data))
        return [self._patterns[index - 1].number for index in matching if index]

    def _one_by_one(self, data: bytes) -> Iterator[int]:
        logger.error("a set of %d expressions ran out of memory", len(self._patterns))
        for entry in self._patterns:
            if len(_set([entry.pattern], _MEMORY).Match(data) or ()) > 1:
                yield entry.number


def _set(patterns: Sequence[str], memory: int) -> re2.Set:
    made = re2.Set.SearchSet(_options(memory))
    made.Add(_FIRST)
    for pattern in patterns:
        made.Add(pattern)
    try:
        made.Compile()
    except re2.error as error:
        raise _OutOfMemory from error
    return made


def _packs(patterns: Sequence[_Weighed], size: _Size) -> Iterator[Pack]:
    groups: list[list[_Weighed]] = []
    room = 0
    for entry in patterns:
        if not groups or entry.weight > room:
            groups.append([])
            room = size.weight
        groups[-1].append(entry)
        room -= entry.weight
    for group in groups:
        yield from _fitting(group, max(_MEMORY // len(groups), _LEAST_MEMORY))


def _fitting(group: Sequence[_Weighed], memory: int) -> Iterator[Pack]:
    """The group as one set, or as two where one has not enough memory, and so on."""
    try:
        yield Pack(group, memory)
    except _OutOfMemory:
        middle = len(group) // 2
        if not middle:
            logger.error("no memory for the expression %r", group[0].pattern)
            return
        yield from _fitting(group[:middle], memory)
        yield from _fitting(group[middle:], memory)


def _weight(pattern: str) -> int:
    """About how many instructions a text can keep alive at once: those of plain characters follow one another."""
    size = measured(pattern).size
    plain = len("".join(filter(str.isalnum, pattern)).encode())
    return max(size - plain, size // 8)


def _options(memory: int) -> re2.Options:
    options = re2.Options()
    options.max_mem = memory
    options.never_capture = True
    options.log_errors = False  # it would write to stderr
    return options
