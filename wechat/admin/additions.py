"""Where another room adds to these pages. wechat knows no quotes; orders says what a card looks like and what a scan was.

@additions.card_sample                      # the preview beside the account's card texts
def sample(account: AccountConfig) -> News: ...

@additions.consequence                      # one line more under "what it caused" of a push
def scan_of(push: Push) -> str | None: ...

@additions.push_search                      # what a number in the inbox's search stands for
def pushes_about(number: str) -> list[int]: ...

@additions.scene_owner                      # which of these scenes something else has: a channel code cannot take them
def orders_of(account_id: int, scenes: Collection[str]) -> dict[str, str]: ...

@additions.code_link                        # a public address that belongs to a channel code, with what it is
def form_of(channel: ChannelCode) -> tuple[str, str]: ...
"""

from collections.abc import Callable, Collection

from wechat.conf import AccountConfig
from wechat.models import ChannelCode, Push
from wechat.replies import News

CardSample = Callable[[AccountConfig], News]
Consequence = Callable[[Push], str | None]
PushSearch = Callable[[str], list[int]]
SceneOwner = Callable[[int, Collection[str]], dict[str, str]]
CodeLink = Callable[[ChannelCode], tuple[str, str]]

card_samples: list[CardSample] = []
consequences: list[Consequence] = []
push_searches: list[PushSearch] = []
scene_owners: list[SceneOwner] = []
code_links: list[CodeLink] = []


def card_sample(make: CardSample) -> CardSample:
    """Register who draws a card out of an account's texts, with invented values."""
    if make not in card_samples:
        card_samples.append(make)
    return make


def consequence(tell: Consequence) -> Consequence:
    """Register who knows what else a push led to; the line it returns must be escaped already."""
    if tell not in consequences:
        consequences.append(tell)
    return tell


def push_search(find: PushSearch) -> PushSearch:
    """Register who knows the primary keys of the pushes about a number of 1 to 10 digits; none when he does not know it."""
    if find not in push_searches:
        push_searches.append(find)
    return find


def scene_owner(find: SceneOwner) -> SceneOwner:
    """Register who else uses scenes of an account: it returns those of the given ones that are taken, and in words by what."""
    if find not in scene_owners:
        scene_owners.append(find)
    return find


def code_link(tell: CodeLink) -> CodeLink:
    """Register who knows an address for a channel code: what it is, and the whole address."""
    if tell not in code_links:
        code_links.append(tell)
    return tell
