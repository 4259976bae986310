"""Posters: what is printed can be scanned, in every size, with the logo on it; and no text ever breaks one.

The codes are made by segno and read by zxing-cpp, which have nothing in common.
"""

import io
import re
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from wechat import poster_text, posters
from wechat.poster_text import Block, in_fonts
from wechat.posters import Poster

URLS = ["http://weixin.qq.com/q/02AbCdEfGhIjKlMnOpQrSt", "http://127.0.0.1:9000/q/" + "x" * 40]
THREE_CENTIMETRES = 3 / 2.54  # inches


def logo(size: tuple[int, int] = (400, 400), kind: str = "PNG") -> bytes:
    """A dark, solid logo: the worst for a code."""
    image = Image.new("RGB", size, "#0b4f9e")
    ImageDraw.Draw(image).ellipse((size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4), fill="#f2b705")
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def poster(**fields: Any) -> Poster:
    usual = {"url": URLS[0], "firm": "筑家装饰", "headline": "微信扫一扫，报价马上到", "label": "春季活动 · 小李"}
    return Poster(**{**usual, **fields})


def read(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def pages(pdf: bytes) -> list[Image.Image]:
    """The pictures of the pages, as they stand in the file."""
    streams = re.findall(rb"/Filter /DCTDecode.*?stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return [opened(stream) for stream in streams]


# Codes.


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("dpi", [300, 150])
@pytest.mark.parametrize("with_logo", [False, True])
@pytest.mark.parametrize("angle", [0, 4, -11])
def test_a_code_of_three_centimetres_is_read_also_blurred_and_turned(
    url: str, dpi: int, with_logo: bool, angle: int
) -> None:
    made = posters.code(url, 1400, logo() if with_logo else b"")
    side = round(THREE_CENTIMETRES * dpi)
    small = made.resize((side, side), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(dpi / 300))
    paper = Image.new("RGB", (side * 2, side * 2), "white")
    paper.paste(small, (side // 2, side // 2))
    assert read(paper.rotate(angle, Image.Resampling.BICUBIC, fillcolor="white")) == [url]


def test_the_logo_hides_no_more_than_the_code_bears() -> None:
    plain, with_logo = posters.code(URLS[0], 1400), posters.code(URLS[0], 1400, logo())
    changed = sum(ImageChops.difference(plain, with_logo).convert("L").histogram()[1:])
    symbol = (plain.width * 41 / 49) ** 2
    assert 0 < changed / symbol < 0.06
    assert posters.LOGO_PART <= 0.2
    middle = with_logo.getpixel((with_logo.width // 2, with_logo.height // 2))
    assert middle == (0xF2, 0xB7, 0x05)


def test_round_the_logo_is_white() -> None:
    drawn = posters.code(URLS[0], 1400, logo())
    symbol = drawn.width * 41 / 49
    reach = round(symbol * (posters.LOGO_PART + posters.RING_PART) / 4)
    for dx, dy in ((reach, 0), (-reach, 0), (0, reach), (0, -reach)):
        assert drawn.getpixel((drawn.width // 2 + dx, drawn.height // 2 + dy)) == (255, 255, 255)


@pytest.mark.parametrize("broken", [b"x", b"\x89PNG\r\n\x1a\n" + b"0" * 50, b"<svg/>", logo()[:200]])
def test_a_broken_logo_is_left_out(broken: bytes) -> None:
    assert read(posters.draw(poster(logo=broken, place="both", size="a6"))) == [URLS[0]]


@pytest.mark.parametrize("size", [(400, 40), (40, 400), (1, 1), (3000, 2000)])
def test_a_logo_of_any_shape_fits(size: tuple[int, int]) -> None:
    assert read(posters.draw(poster(logo=logo(size), place="both", size="a6"))) == [URLS[0]]


# Posters.


@pytest.mark.parametrize("size", posters.SIZES)
@pytest.mark.parametrize("place", posters.PLACES)
def test_a_poster_of_every_size_is_read_with_the_logo_anywhere(size: str, place: str) -> None:
    made = opened(posters.png(poster(size=size, place=place, logo=logo(), subline="关注后报价自动发到微信")))
    assert made.size == posters.SIZES[size]
    assert round(made.info["dpi"][0]) == 300
    assert read(made) == [URLS[0]]


@pytest.mark.parametrize("size", ["a4", "a6"])
def test_the_code_is_larger_than_three_centimetres_on_paper(size: str) -> None:
    [found] = zxingcpp.read_barcodes(posters.draw(poster(size=size, logo=logo())))
    assert found.position.top_right.x - found.position.top_left.x > THREE_CENTIMETRES * 300


def test_a_poster_is_read_when_it_is_printed_so_small_that_its_code_has_three_centimetres() -> None:
    made = posters.draw(poster(size="a4", logo=logo()))
    [found] = zxingcpp.read_barcodes(made)
    scale = THREE_CENTIMETRES * 150 / (found.position.top_right.x - found.position.top_left.x)
    small = made.resize((round(made.width * scale), round(made.height * scale)), Image.Resampling.LANCZOS)
    assert read(small.filter(ImageFilter.GaussianBlur(0.5)).rotate(3, fillcolor="white")) == [URLS[0]]


def test_the_pdf_has_a_page_for_each_and_every_one_is_read() -> None:
    out = io.BytesIO()
    posters.write_pdf([poster(url=url, size="a6", logo=logo()) for url in (*URLS, URLS[0])], out)
    pdf = out.getvalue()
    assert pdf.startswith(b"%PDF")
    assert re.findall(rb"/Count (\d+)", pdf)[-1] == b"3"
    drawn = pages(pdf)
    assert [read(page) for page in drawn] == [[URLS[0]], [URLS[1]], [URLS[0]]]
    assert drawn[0].size == posters.SIZES["a6"]
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert box
    assert [round(float(points) / 72 * 25.4) for points in box.groups()] == [105, 148]  # millimetres


def test_a_small_picture_to_look_at() -> None:
    assert opened(posters.png(poster(), width=480)).size == (480, 679)


# Colours.


@pytest.mark.parametrize("colour", ["#ffffff", "#ffe600", "#07c160", "#ff7700", "#000000", "#0b4f9e", ""])
def test_text_on_the_firms_colour_can_be_read(colour: str) -> None:
    accent = posters.readable(colour or posters.COLOUR)
    assert posters.contrast(accent, posters.WHITE) >= 4.5
    made = posters.draw(poster(colour=colour, size="a6"))
    assert made.getpixel((3, made.height - 3)) == accent
    assert read(made) == [URLS[0]]


def test_a_colour_that_is_dark_enough_stays() -> None:
    assert posters.readable("#0b4f9e") == (0x0B, 0x4F, 0x9E)
    assert round(posters.contrast((0, 0, 0), (255, 255, 255))) == 21


# Texts.

ODD_TEXTS = {
    "nothing": "",
    "spaces": " \n\t ",
    "long": "装修报价" * 60,
    "one long word": "x" * 300,
    "rare": "𠮷野家・彁龘靐",
    "emoji": "扫码🎁领礼👨‍👩‍👧",
    "arabic": "مرحبا",
    "control": "报价\x00\x1b[31m\u202e\u200b价",
    "surrogate": "报\ud800价",
    "markup": "<b>&amp;</b>",
}


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
@pytest.mark.parametrize("system_font", [True, False])
def test_no_text_breaks_a_poster(text: str, system_font: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not system_font:
        monkeypatch.setattr(poster_text, "_system_font", lambda _size: None)
    made = posters.draw(poster(headline=text, subline=text, label=text, firm=text, size="square", logo=logo()))
    assert read(made) == [URLS[0]]


def test_text_stays_within_its_room_and_its_lines() -> None:
    for text in ODD_TEXTS.values():
        block = Block(text, "bold", 60, (0, 0, 0), room=700, lines=2)
        assert len(block._lines) <= 2
        assert all(poster_text.width(line, "bold", block._size) <= 700 * 1.1 for line in block._lines)


def test_a_text_that_is_too_long_ends_in_dots() -> None:
    assert Block("装修报价" * 60, "bold", 60, (0, 0, 0), room=700, lines=2)._lines[-1].endswith("…")


def test_lines_are_about_equally_long_and_never_begin_with_a_comma() -> None:
    for room in range(300, 1000, 37):
        lines = Block("微信扫一扫，马上拿到您的装修报价。", "bold", 60, (0, 0, 0), room=room, lines=9)._lines
        assert not any(line[0] in "，。" for line in lines)
    first, second = Block("一二三四五六七八九十甲乙", "bold", 60, (0, 0, 0), room=660, lines=2)._lines
    assert abs(len(first) - len(second)) <= 2


def test_our_fonts_have_what_in_fonts_says() -> None:
    missing = poster_text._font("bold", 40).getmask("\ue000")  # what is drawn for no character
    for text in ("报价装修春季活动小李微信扫一扫，。！", "AZaz09@#", "¥㎡…—", "鑫淼"):
        for character in text:
            assert in_fonts(character)
            for weight in poster_text.FILES:
                drawn = poster_text._font(weight, 40).getmask(character)
                assert bytes(drawn) != bytes(missing), character
    assert not in_fonts("龘")
    assert not in_fonts("é" if "é" not in poster_text.ALSO else "ع")


def test_a_character_nobody_has_becomes_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poster_text, "_system_font", lambda _size: None)
    assert [run for run, _font in poster_text._runs("报龘价", "bold", 40)] == ["报", "□", "价"]


def test_the_fonts_come_with_their_licence() -> None:
    folder = Path(poster_text.__file__).parent / "fonts"
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text("utf-8")
    assert all((folder / name).stat().st_size < 2_500_000 for name in poster_text.FILES.values())
