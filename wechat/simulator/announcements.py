"""Pushes of events that nobody caused by hand: what became of a template message, an agent who takes over.

In: the event's nodes, from an endpoint. Out: a push a moment later, as on the platform.
"""

from functools import partial

from wechat.simulator.accounts import Account, Person
from wechat.simulator.envelopes import Nodes
from wechat.simulator.pushes import Pushes


class Announcements:
    """What `Platform.announce` leads to while a server runs."""

    def __init__(self, pushes: Pushes) -> None:
        self._pushes = pushes

    def announce(self, account: Account, person: Person, nodes: Nodes) -> None:
        """Push an event whose first node is its name; nothing where no callback URL is set."""
        if account.callback_url:
            seconds = self._pushes.platform.settings.job_seconds
            self._pushes.alarm.after(seconds, partial(self._push, account, person, nodes))

    def _push(self, account: Account, person: Person, nodes: Nodes) -> None:
        self._pushes.send(account, person, str(nodes[0][1]), nodes)
