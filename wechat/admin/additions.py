"""Where another room adds to these pages. wechat knows no quotes; orders says what a card looks like and what a scan was.

@additions.card_sample                      # the preview beside the account's card texts
def sample(account: AccountConfig) -> News: ...

@additions.consequence                      # one line more under "what it caused" of a push
def scan_of(push: Push) -> str | None: ...

@additions.push_search                      # what a number in the inbox's search stands for
def pushes_about(number: str) -> list[int]: ...
"""

from collections.abc import Callable

from wechat.conf import AccountConfig
from wechat.models import Push
from wechat.replies import News

CardSample = Callable[[AccountConfig], News]
Consequence = Callable[[Push], str | None]
PushSearch = Callable[[str], list[int]]

card_samples: list[CardSample] = []
consequences: list[Consequence] = []
push_searches: list[PushSearch] = []


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
