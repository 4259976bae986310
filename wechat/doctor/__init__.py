"""Looks over an installation and says what to do: the same findings for `manage.py doctor` and for a page of the admin.

Each examination yields findings, and none changes anything. They make real calls (a token, the callback's own address), so
they never run in a request of a visitor. One module per family: the machine and its database, what comes and goes, the way
from the platform to us, the way from us to the platform.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from wechat import conf
from wechat.conf import AccountConfig
from wechat.doctor import callback, machine, platform, traffic, web
from wechat.doctor.findings import Finding, Level, about, bad

__all__ = ["Finding", "Level", "examine", "examine_account", "examine_installation"]


def examine() -> Iterator[Finding]:
    """Look at everything, the database first: without it there is nothing more to see."""
    ready = machine.database()
    yield ready
    if not ready.fine:
        return
    yield from examine_installation(ready)
    conf.forget()
    accounts = conf.snapshot().accounts.values()
    if not accounts:
        yield bad(_("accounts"), "", _("There is no account yet: manage.py account SLUG --appid … "))
    for account in accounts:
        yield from examine_account(account)


def examine_installation(ready: Finding | None = None) -> Iterator[Finding]:
    """What all accounts share. `ready` is what was found of the database, where that was looked at before."""
    if ready is None:
        ready = machine.database()
        yield ready
        if not ready.fine:
            return
    for look in (machine.journal, machine.secrets_open, machine.old_keys, machine.disk, machine.public_address):
        yield look()
    yield traffic.worker()
    yield traffic.outbox()


def examine_account(account: AccountConfig) -> Iterator[Finding]:
    """One account: its rows, the way to us, the way to the platform."""
    looks = (callback.rows, callback.handshake, callback.refused, callback.encryption)
    found = [look(account) for look in looks]
    reached = platform.examine(account)
    told = (platform.certification(account), web.authorization(account))
    for finding in (*found, *reached, *traffic.of_account(account), *told):
        yield about(account, finding)
