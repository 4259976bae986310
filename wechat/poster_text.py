"""Text of a poster: broken into lines as Chinese and Latin are, made smaller until it fits, drawn without ever failing.

Comes in: whatever staff typed. Goes out: lines on a picture. Our fonts hold ASCII and the characters of GB 2312;
any other character is taken from a CJK font of the machine where one is found, else a box stands in its place.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONTS = Path(__file__).parent / "fonts"
FILES = {"regular": "NotoSansSC-Regular.otf", "bold": "NotoSansSC-Bold.otf"}
# Where Debian, Ubuntu, Fedora and macOS keep a font with all Chinese characters.
SYSTEM_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
)
ALSO = frozenset("·—…“”‘’¥￥㎡×÷±°→←↑↓•●★☆✓№©®™€£–ēéèêëáàäâíìïóòöôúùüûñç")  # in the fonts beside GB 2312
MISSING = "□"
SMALLEST = 0.55  # of the wanted size; what does not fit then is cut
LEADING = 1.4  # height of a line, of its size
_NEVER_FIRST = frozenset("，。！？；：、）》」』】〉”’…,.!?;:)%")
_WORDS = re.compile(r"[A-Za-z0-9@#&+_/\\-]+|\s+|.", re.DOTALL)

Colour = tuple[int, int, int]


class Block:
    """Lines in the middle of the picture, at most `lines` of them and `room` pixels wide; or a small picture."""

    def __init__(self, text: str, weight: str, size: float, colour: Colour, *, room: float, lines: int) -> None:
        self._weight, self._colour = weight, colour
        self._picture: Image.Image | None = None
        self._size, self._lines = _fitted(_plain(text), weight, size, room=room, most=lines)
        self.height = round(len(self._lines) * self._size * LEADING)

    @classmethod
    def of_picture(cls, picture: Image.Image, box: tuple[float, float]) -> "Block":
        """A picture, as large as the box lets it be."""
        block = cls("", "regular", 10, (0, 0, 0), room=10, lines=1)
        block._picture = contained(picture, box)
        block.height = block._picture.height
        return block

    def draw(self, image: Image.Image, top: int) -> None:
        """Draw it on the picture, with its upper edge at `top`."""
        if self._picture:
            image.paste(self._picture, ((image.width - self._picture.width) // 2, top), self._picture)
            return
        pen = ImageDraw.Draw(image)
        for number, line in enumerate(self._lines):
            left = (image.width - width(line, self._weight, self._size)) / 2
            base = top + number * self._size * LEADING + self._size * (LEADING + 0.76) / 2
            for run, font in _runs(line, self._weight, self._size):
                pen.text((left, base), run, font=font, fill=self._colour, anchor="ls")
                left += font.getlength(run)


def contained(picture: Image.Image, box: tuple[float, float]) -> Image.Image:
    """The picture as large as the box lets it be."""
    scale = min(box[0] / picture.width, box[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def width(text: str, weight: str, size: int) -> float:
    """How wide a line of text is, in pixels."""
    return sum(font.getlength(run) for run, font in _runs(text, weight, size))


def in_fonts(character: str) -> bool:
    """Whether our own fonts have the character."""
    if " " <= character <= "~" or character in ALSO:
        return True
    try:
        return len(character.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def _plain(text: str) -> str:
    """One line, without what cannot be seen."""
    seen = "".join(" " if each.isspace() else each for each in text if each.isspace() or each.isprintable())
    return " ".join(unicodedata.normalize("NFC", seen).split())


def _fitted(text: str, weight: str, size: float, *, room: float, most: int) -> tuple[int, list[str]]:
    """The largest size, and the lines, with which the text fits; cut when even the smallest is too large."""
    wanted = max(8, round(size))
    smallest = max(8, round(size * SMALLEST))
    for tried in (*range(wanted, smallest, -max(1, wanted // 20)), smallest):
        lines = list(_broken(text, weight, tried, room))
        if len(lines) <= most:
            return tried, _balanced(lines, text, weight, tried, room)
    lines = list(_broken(text, weight, smallest, room))
    last = lines[most - 1]
    while last and width(f"{last}…", weight, smallest) > room:
        last = last[:-1]
    return smallest, [*lines[: most - 1], f"{last}…"]


def _balanced(lines: list[str], text: str, weight: str, size: int, room: float) -> list[str]:
    """The same number of lines, about equally long."""
    narrower = (list(_broken(text, weight, size, room * part / 20)) for part in range(10, 20))
    return next((tried for tried in narrower if len(tried) == len(lines)), lines)


def _broken(text: str, weight: str, size: int, room: float) -> Iterator[str]:
    """Lines of that width: between any two Chinese characters, between Latin words, never before a closing mark."""
    line = ""
    for word in _words(text, weight, size, room):
        hangs = 1.1 if word in _NEVER_FIRST else 1.0  # a closing mark may stand out a little
        if line and width(line + word, weight, size) > room * hangs:
            yield line.strip()
            line = word.lstrip()
        else:
            line += word
    if line.strip():
        yield line.strip()


def _words(text: str, weight: str, size: int, room: float) -> Iterator[str]:
    """What must not be broken; of a word that is wider than a line, its letters."""
    for word in _WORDS.findall(text):
        if len(word) > 1 and width(word, weight, size) > room:
            yield from word
        else:
            yield word


def _runs(text: str, weight: str, size: int) -> Iterator[tuple[str, ImageFont.FreeTypeFont]]:
    """The text in pieces, each with the font that has its characters."""
    other = _system_font(size)
    for ours, characters in groupby(text, in_fonts):
        piece = "".join(characters)
        if ours or other is None:
            yield piece if ours else MISSING * len(piece), _font(weight, size)
        else:
            yield piece, other


@lru_cache(maxsize=64)
def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / FILES[weight]), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=16)
def _system_font(size: int) -> ImageFont.FreeTypeFont | None:
    path = _system_path()
    return ImageFont.truetype(path, size, index=_index(path), layout_engine=ImageFont.Layout.BASIC) if path else None


def _index(path: str) -> int:
    return 2 if "NotoSansCJK" in path else 0  # of the collection: the forms of mainland China


@cache
def _system_path() -> str:
    """A font of this machine that can be opened; empty when there is none."""
    for path in SYSTEM_FONTS:
        try:
            ImageFont.truetype(path, 12, index=_index(path))
        except OSError:
            continue
        return path
    return ""
