"""What quotes keep of a person in WeChat: the scans of their codes, and how he agreed to be shown.

The quotes themselves are the firm's own records.
"""

from collections.abc import Iterable, Iterator

from django.db.models import QuerySet

from orders.models import PageEvent, Profile, Scan
from orders.ownership import PURPOSES
from wechat import privacy
from wechat.models import Authorization
from wechat.models.followers import ERASED
from wechat.privacy import Facts, Person


@privacy.on_erase
def forget_visits(person: Person) -> None:
    """The numbers of the browsers that opened his links; registered before his scans lose their openid."""
    numbers = [f"s{pk}" for pk in _scans(person).values_list("pk", flat=True)]
    orders = _scans(person).values("order_id")
    PageEvent.objects.filter(order_id__in=orders, link__in=numbers).update(visitor="")


@privacy.on_erase
def forget_scans(person: Person) -> None:
    """His scans stay as numbers; the links he got open nothing any more, and show nobody."""
    forget_profiles(person)
    _asked(person.account_id, _scans(person)).delete()
    _scans(person).update(openid=ERASED, revoked=True)


@privacy.on_profile_gone
def forget_profiles(person: Person) -> None:
    """What the pages show of him. There are few profiles: the database begins with these."""
    Profile.objects.filter(scan__account_id=person.account_id, scan__openid=person.openid).delete()


@privacy.on_export("scans")
def scans_of(person: Person) -> Iterator[Facts]:
    """Which quotes he got, and when, and what their pages show of him; without the links."""
    scans = list(_scans(person).select_related("order", "profile").order_by("pk"))
    asked: dict[str, list[Facts]] = {}
    for row in _asked(person.account_id, scans).order_by("pk"):
        facts = {"asked_at": row.asked_at, "purpose": row.purpose, "outcome": row.outcome}
        asked.setdefault(row.about, []).append(facts)
    for scan in scans:
        profile = getattr(scan, "profile", None)
        yield {
            "scanned_at": scan.scanned_at,
            "kind": scan.kind,
            "scene": scan.scene,
            "quote": scan.order.orderid if scan.order else None,
            "link_revoked": scan.revoked,
            "shown": profile and {"nickname": profile.nickname, "avatar": profile.avatar, "agreed": profile.given_at},
            "web_authorizations": asked.get(str(scan.pk), []),
        }


def _scans(person: Person) -> QuerySet[Scan]:
    """By his openid and not by his pushes: these may have been removed after their days, and scans are kept.

    No index serves; a million scans take a quarter of a second, and hardly anybody is ever erased.
    """
    return Scan.objects.filter(account_id=person.account_id, openid=person.openid)


def _asked(account_id: int, scans: Iterable[Scan]) -> QuerySet[Authorization]:
    """What was asked of WeChat about these scans, whoever began it: it names no person."""
    abouts = [str(scan.pk) for scan in scans]
    return Authorization.objects.filter(account_id=account_id, purpose__in=PURPOSES, about__in=abouts)
