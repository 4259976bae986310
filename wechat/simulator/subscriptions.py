"""The subscription notices of one account: its templates, and what each person's consent is worth.

Source: wechat-api.md, section 8.1. The caller holds the platform's lock.
"""

import secrets
from dataclasses import dataclass, field

from wechat.simulator.errors import ApiError
from wechat.simulator.template_library import (
    LONG_TERM,
    SUBSCRIPTION_LIBRARY,
    Keyword,
    Template,
    keyword_of,
    template_id,
)

MOST_TEMPLATES = 25
FEWEST_KEYWORDS, MOST_KEYWORDS = 2, 5
LONGEST_SCENE = 15  # characters
ALWAYS = -1  # a consent to a long-term template


@dataclass
class Subscriptions:
    """Templates by id; who wants their notices stands at the persons (`opt_ins`)."""

    private: dict[str, Template] = field(default_factory=dict)

    @classmethod
    def preloaded(cls, appid: str) -> "Subscriptions":
        """One template to begin with."""
        entry = SUBSCRIPTION_LIBRARY["401"]
        template = Template(template_id(appid, "tid", entry.number), entry.title, entry.keywords[:3], scene="报价通知")
        return cls({template.id: template})

    def pick(self, appid: str, tid: object, numbers: object, scene: object) -> Template:
        """Take an entry of the library over. Raises ApiError 200014, 200020, 200021, 200022 or 200012."""
        entry = SUBSCRIPTION_LIBRARY.get(str(tid))
        if entry is None:
            raise ApiError(200014)
        found = [keyword_of(entry, number) for number in numbers] if isinstance(numbers, list) else []
        keywords: tuple[Keyword, ...] = tuple(keyword for keyword in found if keyword)
        distinct = len(found) == len(keywords) == len(set(keywords))
        if not distinct or not FEWEST_KEYWORDS <= len(keywords) <= MOST_KEYWORDS:
            raise ApiError(200020)
        if not isinstance(scene, str) or len(scene) > LONGEST_SCENE:
            raise ApiError(200021)
        if any(known.title == entry.title and known.keywords == keywords for known in self.private.values()):
            raise ApiError(200022)
        if len(self.private) >= MOST_TEMPLATES:
            raise ApiError(200012)
        made = template_id(appid, "tid", entry.number, secrets.token_hex(8))
        self.private[made] = Template(made, entry.title, keywords, entry.kind, scene)
        return self.private[made]


def accept(opt_ins: dict[str, int], template: Template) -> None:
    """The person wants the next notice, or all of them."""
    opt_ins[template.id] = ALWAYS if template.kind == LONG_TERM else opt_ins.get(template.id, 0) + 1


def use_up(opt_ins: dict[str, int], template: Template) -> None:
    """One notice goes out. Raises ApiError 43101 where the person did not ask for it, or not again."""
    left = opt_ins.get(template.id, 0)
    if not left:
        raise ApiError(43101)
    if left != ALWAYS:
        opt_ins[template.id] = left - 1
