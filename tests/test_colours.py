"""Whatever colour staff choose, what is written in it and on it can be read: WCAG AA, on every ground of the public pages."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechat.brands import style
from wechat.colours import DARK, ENOUGH, LIGHT, Scheme, contrast, mixed, shades

CSS = Path(__file__).resolve().parent.parent / "static" / "css"
NASTY = ["#ffff00", "#ffffff", "#000000", "#ff0000", "#00ff00", "#0000ff", "#808080", "#777777", "#fefefe", "#211e1b"]
SCHEMES = [LIGHT, DARK]


def readable_everywhere(colour: str, scheme: Scheme) -> None:
    made = shades(colour, scheme)
    for ground in (scheme.paper, scheme.surface, made.soft):
        assert contrast(made.accent, ground) >= ENOUGH, (colour, made, ground)
    assert contrast(made.ink, made.accent) >= ENOUGH


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
@pytest.mark.parametrize("colour", NASTY)
def test_nasty_colours_become_readable(colour: str, scheme: Scheme) -> None:
    readable_everywhere(colour, scheme)


@given(st.integers(0, 0xFFFFFF), st.sampled_from(SCHEMES))
def test_every_colour_becomes_readable(number: int, scheme: Scheme) -> None:
    readable_everywhere(f"#{number:06x}", scheme)


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")
    assert contrast("#128552", "#128552") == 1


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert shades("#7a3013", LIGHT).accent == "#7a3013"
    assert shades("#f0a47e", DARK).accent == "#f0a47e"


def test_a_colour_keeps_its_tone() -> None:
    red, green, blue = bytes.fromhex(shades("#ffff00", LIGHT).accent[1:])
    assert red == green > 60
    assert blue == 0


def test_mixing_goes_from_one_to_the_other() -> None:
    assert [mixed("#000000", "#ffffff", share) for share in (0, 0.5, 1)] == ["#000000", "#808080", "#ffffff"]


@pytest.mark.parametrize(
    "wrong", ["", "red", "#fff", "#12345", "#1234567", "#gggggg", "128552#", "#12 4 6", "</style>"]
)
def test_what_is_no_colour_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # bytes.fromhex says it in its own words
        shades(wrong, LIGHT)


def test_the_style_sheet_holds_nothing_but_colours() -> None:
    sheet = style("#ffff00")
    assert re.sub(r"#[0-9a-f]{6}", "#", sheet) == (
        ":root{--accent:#;--accent-soft:#;--accent-ink:#}\n"
        "@media screen and (prefers-color-scheme:dark){:root{--accent:#;--accent-soft:#;--accent-ink:#}}\n"
    )


def properties(block: str) -> dict[str, str]:
    found = {name: value.lower() for name, value in re.findall(r"--([a-z-]+):\s*([^;}]+)", block)}
    return {name: "#ffffff" if value == "#fff" else value for name, value in found.items()}


def test_the_grounds_are_those_of_the_pages() -> None:
    text = (CSS / "public.css").read_text(encoding="utf-8")
    own, preview = text.split("@media (prefers-color-scheme: dark)"), (CSS / "look.css").read_text(encoding="utf-8")
    for scheme, block, name in ((LIGHT, own[0], "light"), (DARK, own[1].split("\n}\n")[0], "dark")):
        page, card = properties(block), properties(re.search(rf"\.lk-{name} {{([^}}]*--[^}}]*)}}", preview)[1])  # type: ignore[index]
        assert (page["paper"], page["surface"]) == (scheme.paper, scheme.surface)
        assert {part: page[part] for part in card} == card, "the card in the admin looks like the page"
        for ground in (page["paper"], page["surface"], page["accent-soft"]):
            assert contrast(page["accent"], ground) >= ENOUGH
        assert contrast(page["accent-ink"], page["accent"]) >= ENOUGH
