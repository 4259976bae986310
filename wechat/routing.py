"""Which handler answers a push. Other apps register here; wechat itself knows none of them.

@routing.on("click")                    # by the message's `handle`
@routing.on_scan                        # by a scanned code: asked in the order of registration, the first that knows wins
def quote_scanned(contact: Contact) -> Handled | None: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from wechat.conf import AccountConfig
from wechat.messages import Message
from wechat.replies import Reply


@dataclass(frozen=True, slots=True)
class Contact:
    """One push and the person behind it, as a handler sees them.

    `answerable` is False when staff run a push again: the connection that could carry an answer is long gone.
    """

    account: AccountConfig
    message: Message
    push_id: int
    now: datetime
    owed: int = 0
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class Handled:
    """The handler took the push; `reply` answers it, None means there is nothing to say."""

    reply: Reply | None = None


Handler = Callable[[Contact], Handled | None]

_handlers: dict[str, Handler] = {}
_scan_handlers: list[Handler] = []


def on(*handles: str) -> Callable[[Handler], Handler]:
    """Register a handler for these handles (message types, event names, `qr`, `trace`, or `message` for all the rest
    that a user writes). Raises ValueError when one is taken."""

    def register(handler: Handler) -> Handler:
        for handle in handles:
            if _handlers.setdefault(handle, handler) is not handler:
                raise ValueError(f"{handle} already has a handler")
        return handler

    return register


def on_scan(handler: Handler) -> Handler:
    """Register a handler for scanned codes. It returns None for a scene that is not its own."""
    if handler not in _scan_handlers:
        _scan_handlers.append(handler)
    return handler


def has_own_handler(message: Message) -> bool:
    """Whether somebody registered for this very kind of push."""
    return message.handle in _handlers


def route(contact: Contact) -> Handled | None:
    """Ask the handler of this push, or for a user's message the one of all the rest. None when nobody wanted it."""
    message = contact.message
    handler = _handlers.get(message.handle) or (None if message.is_event else _handlers.get("message"))
    return handler(contact) if handler else None


def route_scan(contact: Contact) -> Handled | None:
    """Ask who knows the scanned scene. None when nobody does."""
    return next((handled for handler in _scan_handlers if (handled := handler(contact))), None)
