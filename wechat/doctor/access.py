"""What a manager should look at now and then: who and what gets in, what of it is old or unused, what could be stronger."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from wechat import conf, second_factor
from wechat.conf import AccountConfig
from wechat.doctor import machine
from wechat.doctor.findings import Finding, bad, good, warn
from wechat.models import Account, ApiKey, SecondFactor

OLD_KEY = timedelta(days=365)
UNUSED = timedelta(days=90)
SUPERUSERS = 2  # one, and one for when he is ill
NAMES = 12  # in one line


def examine() -> Iterator[Finding]:
    """The whole installation, for superusers and the command."""
    yield from settings_looked_at()
    yield machine.secrets_open()
    yield machine.old_keys()
    yield from keys_of_programs()
    conf.forget()
    yield from staff(User.objects.all())
    yield from accounts(conf.snapshot().accounts.values())


def settings_looked_at() -> Iterator[Finding]:
    """What the environment says."""
    if settings.DEBUG:
        text = _("DEBUG is on: error pages show the program's inside.")
        yield warn(_("production"), text, _("On a public address set DEBUG=false; then what is missing is refused."))
    else:
        yield good(_("production"))
    if settings.HTTPS:
        yield good("HTTPS", settings.PUBLIC_URL)
    else:
        text = _("%s is not https.") % settings.PUBLIC_URL
        yield warn("HTTPS", text, _("Passwords, cookies and tokens travel readable. Set up a certificate."))
    if settings.STAFF_OTP == second_factor.OFF:
        remedy = _("Set STAFF_OTP=managers: whoever reaches the secrets of an account then needs his phone to sign in.")
        yield warn(_("second step"), _("Nobody must have one."), remedy)
    else:
        yield good(_("second step"), f"STAFF_OTP={settings.STAFF_OTP}")


def keys_of_programs() -> Iterator[Finding]:
    """The keys of the REST interface that open something now."""
    now = timezone.now()
    valid = ApiKey.objects.filter(Q(expiry_date=None) | Q(expiry_date__gt=now), revoked=False)
    old = [key.name for key in valid.filter(created__lt=now - OLD_KEY).order_by("created")]
    unused = valid.filter(created__lt=now - UNUSED).filter(Q(last_used_at=None) | Q(last_used_at__lt=now - UNUSED))
    idle = [key.name for key in unused.order_by("created")]
    what = _("REST keys")
    if old:
        remedy = _("Replace them: manage.py apikey NAME --rotate, or the button on the key's page.")
        yield warn(what, _("Older than a year: %s.") % _listed(old), remedy)
    if idle:
        yield warn(what, _("Not used for 90 days: %s.") % _listed(idle), _("Revoke what nobody needs."))
    if not old and not idle:
        yield good(what, str(valid.count()))


def staff(people: Iterable[User]) -> Iterator[Finding]:
    """The logins: `people` are those to look at."""
    active = [user for user in people if user.is_active and user.is_staff]
    have = set(SecondFactor.objects.filter(confirmed=True).values_list("user_id", flat=True))
    yield _without(
        [user.username for user in active if user.pk not in have],
        _("second step"),
        _("Without one: %s."),
        _("Everybody sets it up himself: his name above, then “Sign-in and sessions”."),
    )
    before = timezone.now() - UNUSED
    yield _without(
        [user.username for user in active if (user.last_login or user.date_joined) < before],
        _("logins"),
        _("Not signed in for 90 days: %s."),
        _("Switch off the logins of those who have left."),
    )
    yield _without(
        [name for user in active if user.is_superuser and (name := user.username)][SUPERUSERS:],
        _("superusers"),
        _("More than two; beside the first two also: %s."),
        _("A manager's group is enough for daily work: take the superuser's mark away."),
    )


def accounts(found: Iterable[AccountConfig]) -> Iterator[Finding]:
    """The accounts themselves."""
    for account in found:
        what = _("%(account)s: way of the pushes") % {"account": account.slug}
        if account.mode == Account.Mode.PLAIN:
            text = _("Pushes come unencrypted (plain mode).")
            yield warn(what, text, _("Choose the safe mode in WeChat's console and on the account's page."))
        else:
            yield good(what, account.mode)
        yield from _previous(account)


def _previous(account: AccountConfig) -> Iterator[Finding]:
    what = _("%(account)s: previous keys") % {"account": account.slug}
    old, _until = account.old_token
    if len(account.tokens) > 1:
        until = account.get("public_wechat_token_previous_until")
        yield warn(
            what, _("The previous token is accepted until %s.") % until, _("Remove it once WeChat has the new one.")
        )
    elif old:
        yield warn(
            what, _("The previous token is still stored; it is not accepted."), _("Remove it on the account's page.")
        )
    if len(account.aes_keys) > 1:
        text = _("The previous EncodingAESKey still opens pushes.")
        yield warn(what, text, _("Remove it on the account's page a day after the change."))
    if not account.token:
        yield bad(what, _("No token is set: every push is refused."), _("Enter it on the account's page."))


def _without(names: list[str], what: str, text: str, remedy: str) -> Finding:
    return warn(what, text % _listed(names), remedy) if names else good(what)


def _listed(names: list[str]) -> str:
    more = f" … (+{len(names) - NAMES})" if len(names) > NAMES else ""
    return "、".join(names[:NAMES]) + more
