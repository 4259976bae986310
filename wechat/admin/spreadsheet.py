"""Rows as a file for a spreadsheet: streamed, however many they are, and no cell of it is ever a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from django.http import StreamingHttpResponse

BOM = "\ufeff"  # without it Excel takes UTF-8 for something else
# With one of these in front a spreadsheet calculates (CSV injection, OWASP); the wide ones count in Chinese versions.
_STARTS_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_LINES = 500  # sent at once


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def cell(value: object) -> str:
    """The value as text that a spreadsheet shows letter by letter: an apostrophe goes before what it would calculate."""
    text = str(value)
    dangerous = text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(_STARTS_FORMULA)
    return f"'{text}" if dangerous else text


def download(filename: str, heading: Sequence[object], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """The rows as a CSV file of that name (ASCII letters), in UTF-8."""
    response = StreamingHttpResponse(_lines(heading, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _lines(heading: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    writer, waiting = csv.writer(_Echo()), [BOM]
    for row in chain([heading], rows):
        waiting.append(writer.writerow([cell(value) for value in row]))  # type: ignore[func-returns-value]
        if len(waiting) >= _LINES:
            yield "".join(waiting)
            waiting = []
    yield "".join(waiting)
