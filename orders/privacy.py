"""What quotes keep of a person in WeChat: the scans of their codes. The quotes themselves are the firm's own records."""

from collections.abc import Iterator

from django.db.models import QuerySet

from orders.models import Scan
from wechat import privacy
from wechat.models.followers import ERASED
from wechat.privacy import Facts, Person


@privacy.on_erase
def forget_scans(person: Person) -> None:
    """His scans stay as numbers; the links he got open nothing any more."""
    _scans(person).update(openid=ERASED, revoked=True)


@privacy.on_export("scans")
def scans_of(person: Person) -> Iterator[Facts]:
    """Which quotes he got, and when; without the links."""
    for scan in _scans(person).select_related("order").order_by("pk"):
        yield {
            "scanned_at": scan.scanned_at,
            "kind": scan.kind,
            "scene": scan.scene,
            "quote": scan.order.orderid if scan.order else None,
            "link_revoked": scan.revoked,
        }


def _scans(person: Person) -> QuerySet[Scan]:
    """By his openid and not by his pushes: these may have been removed after their days, and scans are kept.

    No index serves; a million scans take a quarter of a second, and hardly anybody is ever erased.
    """
    return Scan.objects.filter(account_id=person.account_id, openid=person.openid)
