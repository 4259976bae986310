"""Looks over an installation and says what to do: the same findings for `manage.py doctor` and, later, a page of the admin.

Each examination yields findings; it makes real calls (a token, the callback's own address), so it never runs in a request of
a visitor.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from wechat import client, conf, crypto
from wechat.conf import AccountConfig
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.models import ConfigRow, OutgoingMessage
from wechat.registry import ROWS
from wechat.sealing import SealBroken

STUCK = timedelta(seconds=60)
SELF_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` says what to do where it is not `fine`."""

    what: str
    fine: bool
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Look at everything, the database first: without it there is nothing more to see."""
    ready = _database()
    yield ready
    if not ready.fine:
        return
    yield _secrets_open()
    yield _worker()
    yield _outbox()
    accounts = conf.snapshot().accounts.values()
    if not accounts:
        yield Finding(_("accounts"), fine=False, remedy=_("There is no account yet: manage.py account SLUG --appid … "))
    for account in accounts:
        for look in (_rows, _handshake, _token):
            yield look(account)


def _database() -> Finding:
    what = _("database")
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Finding(what, fine=False, remedy=_("It does not answer: %s. Look at DATABASE_URL.") % error)
    return Finding(what, fine=not missing, remedy=_("Tables are missing or old. Run: manage.py migrate"))


def _secrets_open() -> Finding:
    broken = []
    for row in ConfigRow.objects.filter(conf_name__in=[name for name, row in ROWS.items() if row.secret]):
        try:
            conf.open_row(row)
        except SealBroken:
            broken.append(str(row))
    remedy = _("FIELD_KEYS does not open %s. Put the old key back behind the new one, or enter the secret again.")
    return Finding(_("secrets"), fine=not broken, remedy=remedy % ", ".join(broken))


def _worker() -> Finding:
    alive = conf.snapshot().holds("worker:")
    return Finding(
        _("worker"), fine=alive, remedy=_("None is alive; cards travel as answers only. Run: manage.py worker")
    )


def _outbox() -> Finding:
    before = timezone.now() - STUCK
    stuck = OutgoingMessage.objects.filter(state=OutgoingMessage.State.WAITING, due_at__lt=before).count()
    remedy = _("%d messages wait for more than a minute. Is the worker alive, is the account paused?") % stuck
    return Finding(_("outgoing messages"), fine=not stuck, remedy=remedy)


def _rows(account: AccountConfig) -> Finding:
    needed = ["public_wechat_appid", "public_wechat_appsecret", "public_wechat_token"]
    missing = [str(ROWS[name].label) for name in needed if not account.get(name)]
    if account.mode != "plain" and not account.aes_keys:
        missing.append("EncodingAESKey")
    return Finding(_about(account, _("settings")), fine=not missing, remedy=_("Enter: %s") % ", ".join(missing))


def _handshake(account: AccountConfig) -> Finding:
    """Call our own callback as the platform would, at the address it would use."""
    what, echostr = _about(account, _("callback")), secrets.token_hex(8)
    timestamp, nonce = str(int(time.time())), secrets.token_hex(4)
    query = {
        "signature": crypto.sign(account.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echostr,
    }
    url = f"{settings.PUBLIC_URL}{reverse('callback', args=[account.slug])}?{urlencode(query)}"
    try:
        response = requests.get(url, timeout=SELF_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        remedy = _("%(url)s cannot be reached from here (%(reason)s). Is the site running, is PUBLIC_URL right?")
        return Finding(what, fine=False, remedy=remedy % {"url": settings.PUBLIC_URL, "reason": type(error).__name__})
    fine = response.status_code == 200 and response.text == echostr
    remedy = _("It answered %d instead of the echostr. Does a proxy redirect or change the address?")
    return Finding(what, fine=fine, remedy=remedy % response.status_code)


def _token(account: AccountConfig) -> Finding:
    what = _about(account, _("API of WeChat"))
    try:
        client.callback_addresses(account)
    except CallFailed as error:
        return Finding(what, fine=False, remedy=explain_error(error).text())
    return Finding(what, fine=True)


def _about(account: AccountConfig, what: str | Promise) -> str:
    return f"{account.slug}: {what}"
