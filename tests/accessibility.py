"""axe-core in a page: what somebody who sees little, hears the page or uses the keyboard would stumble over."""

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_RUN = """async (levels) => {
  const {violations} = await axe.run({
    resultTypes: ["violations"], iframes: false,
    rules: {"color-contrast": {enabled: true}},
  });
  return violations.filter(({impact}) => !levels.length || levels.includes(impact));
}"""
SERIOUS = ("serious", "critical")


def findings(page: Page, *, levels: tuple[str, ...] = ()) -> list[str]:
    """What axe finds in the page as it is now, in words. `levels` are impacts, none means all."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_source())
    page.evaluate(
        "document.getAnimations().forEach((each) => each.effect.getTiming().iterations !== Infinity && each.finish())"
    )
    found: list[dict[str, Any]] = page.evaluate(_RUN, list(levels))
    return [
        f"{each['id']} ({each['impact']}): {node['target'][0]} — {_why(node)}"
        for each in found
        for node in each["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return "; ".join(check["message"] for check in checks) or node["html"][:200]


@cache
def _source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8") + "; undefined"
