"""The machine: its database, the keys of the secrets, the disk, and the address under which it is reached."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from wechat import conf
from wechat.doctor.findings import Finding, bad, good, warn
from wechat.models import ConfigRow, SecondFactor
from wechat.registry import ROWS
from wechat.sealing import SealBroken, is_broken, is_old

SELF_SECONDS = 5.0
GIGABYTE = 1_000_000_000
FULL = (0.05, 5 * GIGABYTE)  # less free than both: nearly full
FILLING = (0.10, 10 * GIGABYTE)
NOTHING_LEFT = GIGABYTE // 2
SYNCHRONOUS_FULL = 2  # of SQLite's PRAGMA synchronous; 3 waits even more
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def database() -> Finding:
    """Does it answer, and does it have today's tables?"""
    what = _("database")
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return bad(what, str(error), _("It does not answer: %s. Look at DATABASE_URL.") % error)
    if missing:
        names = ", ".join(str(migration) for migration, _backwards in missing[:5])
        return bad(what, names, _("Tables are missing or old. Run: manage.py migrate"))
    return good(what, connection.vendor)


def journal() -> Finding:
    """SQLite takes several writers at once in WAL mode only, and keeps what it took when it waits for the disk."""
    what = _("way of writing")
    if connection.vendor != "sqlite":
        return good(what, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = str(cursor.fetchone()[0]).lower()
        cursor.execute("PRAGMA synchronous")
        waits_for_disk = cursor.fetchone()[0] >= SYNCHRONOUS_FULL
    if mode != "wal":
        text = _("The SQLite database is in the mode %s, not WAL: of several pushes at once most fail.") % mode.upper()
        remedy = _("Keep DATABASES OPTIONS of settings.py, stop every program that holds the file, restart.")
        return bad(what, text, remedy)
    if not waits_for_disk:
        text = _("A push is answered before it is on the disk: when the power is cut, the last ones are lost.")
        return warn(what, text, _("Set SQLITE_SYNCHRONOUS=FULL, and restart."))
    return good(what, "WAL")


def _sealed() -> Iterator[ConfigRow]:
    names = [name for name, row in ROWS.items() if row.secret]
    yield from ConfigRow.objects.filter(conf_name__in=names).exclude(conf_value="").select_related("account")


def _factors_sealed() -> list[str]:
    return list(SecondFactor.objects.values_list("sealed", flat=True))


def secrets_open() -> Finding:
    """Every secret opens with one of FIELD_KEYS."""
    broken = []
    for row in _sealed():
        try:
            conf.open_row(row)
        except SealBroken:
            broken.append(f"{row.account.slug}: {row.conf_name}")
    broken += [_("second steps of staff")] * any(is_broken(sealed) for sealed in _factors_sealed())
    remedy = _("FIELD_KEYS does not open %s. Put the old key back behind the new one, or enter the secret again.")
    if broken:
        names = ", ".join(broken)
        return bad(_("secrets"), names, remedy % names)
    return good(_("secrets"))


def old_keys() -> Finding:
    """No secret needs an older key than the first."""
    what, old = _("keys of the secrets"), 0
    for row in _sealed():
        try:
            conf.open_row(row)
        except SealBroken:
            continue
        old += is_old(row.conf_value)
    old += sum(is_old(sealed) for sealed in _factors_sealed() if not is_broken(sealed))
    if old:
        text = _("An old key of FIELD_KEYS is still in use: %d secrets are sealed with it.") % old
        return bad(what, text, _("Run manage.py rotatekeys, then remove the old key from FIELD_KEYS and restart."))
    if len(settings.FIELD_KEYS) > 1:
        return good(what, _("Only the first of FIELD_KEYS is in use; the others can be removed."))
    return good(what)


def disk() -> Finding:
    """Room for the database to grow."""
    what, name = _("disk"), str(connection.settings_dict["NAME"])
    file = Path(name).parent if connection.vendor == "sqlite" else Path(settings.BASE_DIR)
    try:
        space = shutil.disk_usage(file)
    except OSError:
        return good(what)
    text = _("%(free).1f GB of %(total).1f GB are free.") % {
        "free": space.free / GIGABYTE,
        "total": space.total / GIGABYTE,
    }
    remedy = _("Remove old backups and logs, keep messages for fewer days (page of the account), or enlarge the disk.")
    if _below(space, FULL) or space.free < NOTHING_LEFT:
        return bad(what, _("The disk is nearly full.") + " " + text, remedy)
    return warn(what, text, remedy) if _below(space, FILLING) else good(what, text)


def _below(space: "shutil._ntuple_diskusage", limit: tuple[float, int]) -> bool:
    share, size = limit
    return space.free < share * space.total and space.free < size


def public_address() -> Finding:
    """Our own address leads to us, over https."""
    what, url = _("public address"), f"{settings.PUBLIC_URL}/healthz"
    try:
        response = requests.get(url, timeout=SELF_SECONDS, allow_redirects=False)
        ours = response.status_code == 200 and response.json() == {"status": "ok"}
    except requests.exceptions.SSLError as error:
        text = _("The certificate of %(url)s is refused: %(reason)s")
        remedy = _("Renew the certificate, with its whole chain: WeChat refuses it too.")
        return bad(what, text % {"url": settings.PUBLIC_URL, "reason": str(error)[:200]}, remedy)
    except ValueError:  # of the JSON; what fails before is a RequestException, which may be a ValueError too
        ours = False
    except requests.RequestException as error:
        text = _("%(url)s cannot be reached from here (%(reason)s).")
        remedy = _("Is the site running? Is PUBLIC_URL right, and does its name lead to this machine?")
        return bad(what, text % {"url": settings.PUBLIC_URL, "reason": type(error).__name__}, remedy)
    if not ours:
        text = _("Somebody else answers at %(url)s.") % {"url": settings.PUBLIC_URL}
        return bad(what, text, _("Set PUBLIC_URL to the address of this site, or let the proxy lead it here."))
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        return warn(
            what, _("%s is not https.") % settings.PUBLIC_URL, _("Set up a certificate: tokens travel readable.")
        )
    return good(what, settings.PUBLIC_URL)
