"""A table of channel codes out of a spreadsheet: pasted, or a CSV or TSV file. Read strictly, line by line.

Comes in: text or bytes, with a heading in Chinese or English, or without one in the order of COLUMNS. Goes out: Lines, each
with what is wrong with it; nothing is stored here.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from wechat import channel_scenes
from wechat.models import ChannelCode, QRCode

MOST_LINES, MOST_BYTES = 1000, 1_000_000
COLUMNS = ("name", "salesperson", "campaign", "purpose", "kind", "scene")
_HEADINGS: Mapping[str, str] = {
    **{name: name for name in COLUMNS},
    "名称": "name",
    "渠道": "name",
    "渠道名称": "name",
    "销售": "salesperson",
    "业务员": "salesperson",
    "销售员": "salesperson",
    "销售人员": "salesperson",
    "活动": "campaign",
    "用途": "purpose",
    "类型": "kind",
    "场景": "scene",
    "场景值": "scene",
}
_PURPOSES: Mapping[str, str] = {
    **{value: value for value in ChannelCode.Purpose.values},
    "活动": "campaign",
    "推广": "campaign",
    "销售": "sales",
    "业务员": "sales",
    "其他": "other",
    "其它": "other",
}
_KINDS: Mapping[str, str] = {
    **{value: value for value in QRCode.Kind.values},
    "临时": "temporary",
    "永久": "permanent",
    "临时码": "temporary",
    "永久码": "permanent",
}
_LENGTHS = {"name": 60, "salesperson": 60, "campaign": 60}


@dataclass
class Line:
    """One line of the table: `values` by column, and what is wrong in words."""

    place: int
    values: dict[str, str]
    number: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def purpose(self) -> str:
        """In words."""
        return str(ChannelCode.Purpose(self.values["purpose"]).label)

    @property
    def kind(self) -> str:
        """In words."""
        return str(QRCode.Kind(self.values["kind"]).label)


def text_of(raw: bytes) -> str:
    """The text of a file: UTF-8, or GB 18030 as a Chinese Excel writes it. Raises ValidationError."""
    if len(raw) > MOST_BYTES:
        raise ValidationError(_("The file has more than 1 MB."))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValidationError(_("This is no text file. Save the table as CSV (UTF-8)."))


def read(text: str, account_id: int, *, kind: str) -> list[Line]:
    """The lines of the table; where none stands, `kind` is the kind of code. Raises ValidationError for no table at all."""
    rows = [(place, row) for place, row in enumerate(_rows(text), start=1) if any(cell.strip() for cell in row)]
    columns = list(COLUMNS)
    if rows and (heading := _heading(rows[0][1])):
        columns, rows = heading, rows[1:]
    if not rows:
        raise ValidationError(_("There is no line in this table."))
    if len(rows) > MOST_LINES:
        raise ValidationError(_("At most %(most)d lines at once.") % {"most": MOST_LINES})
    lines = [_line(place, row, columns, kind) for place, row in rows]
    _find_doubles(lines, account_id)
    return lines


def _rows(text: str) -> Iterator[list[str]]:
    text = text.lstrip("\ufeff")
    first = text.partition("\n")[0]
    delimiter = "\t" if "\t" in first else ";" if first.count(";") > first.count(",") else ","
    try:
        yield from csv.reader(io.StringIO(text.replace("\0", "")), delimiter=delimiter)
    except csv.Error as error:
        raise ValidationError(_("This is no table: %(why)s") % {"why": error}) from None


def _heading(row: list[str]) -> list[str] | None:
    """The columns that a heading names; None when the row is none. Raises ValidationError for an unknown column."""
    names = [cell.strip().casefold() for cell in row]
    if not {"name", "名称", "渠道", "渠道名称"} & set(names):
        return None
    unknown = [name for name in names if name and name not in _HEADINGS]
    if unknown:
        raise ValidationError(_("Unknown column: %(name)s") % {"name": unknown[0][:40]})
    return [_HEADINGS.get(name, "") for name in names]


def _line(place: int, row: list[str], columns: list[str], kind: str) -> Line:
    values = {name: cell.strip() for name, cell in zip(columns, row, strict=False) if name}
    line = Line(place, {name: values.get(name, "") for name in COLUMNS})
    if any(cell.strip() for cell in row[len(columns) :]):
        line.faults.append(_("More cells than columns."))
    if not line.values["name"]:
        line.faults.append(_("The name is missing."))
    for name, most in _LENGTHS.items():
        if len(line.values[name]) > most:
            line.faults.append(
                _("Longer than %(most)d characters: %(text)s…") % {"most": most, "text": values[name][:12]}
            )
    _choose(line, "purpose", _PURPOSES, "sales" if line.values["salesperson"] else "campaign")
    _choose(line, "kind", _KINDS, kind)
    _set_scene(line)
    return line


def _choose(line: Line, name: str, known: Mapping[str, str], default: str) -> None:
    said = line.values[name].casefold()
    if said and said not in known:
        line.faults.append(_("Unknown: %(text)s") % {"text": said[:20]})
    line.values[name] = known.get(said, default)


def _set_scene(line: Line) -> None:
    """Digits are a number scene; an empty one is chosen when the code is made."""
    scene = line.values["scene"]
    if not scene:
        return
    line.number = scene.isascii() and scene.isdigit()
    try:
        line.values["scene"] = channel_scenes.clean(scene, number=line.number, kind=line.values["kind"])
    except ValidationError as error:
        line.faults += error.messages


def _find_doubles(lines: list[Line], account_id: int) -> None:
    scenes = [line.values["scene"] for line in lines if line.values["scene"]]
    there, seen = channel_scenes.taken(account_id, scenes), set()
    for line in lines:
        scene = line.values["scene"]
        if scene in there:
            line.faults.append(_("Another channel code of this account has this scene."))
        elif scene and scene in seen:
            line.faults.append(_("An earlier line has the same scene."))
        seen.add(scene)
