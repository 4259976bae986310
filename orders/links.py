"""The codes of shared links: what one opens, if anything, and the making of those that are passed on.

Comes in: the code of an address below /s/. Goes out: a Link, or None for whatever opens nothing, always by the same way:
one look at the number in the code, then the comparison of its proof.

`<scan>.<secret>` is the link of the scan itself. `s<scan>.<nonce>.<mac>` is one that was passed on from it, and
`o<forward>.<nonce>.<mac>` from another forward. These need no row before somebody opens them: the MAC says that we made
them, under a key for this purpose alone, and it covers the scan's secret, so that all of them end with the scan's link.
"""

import base64
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from orders.models import Onward, Order, Scan
from wechat import conf

NONCE_BYTES = 12  # 96 random bits name a forward
MAC_BYTES = 16  # 128 bits prove that we made it
PURPOSE = "orders.links.onward"

_CODE = re.compile(
    r"(?P<scan>[1-9][0-9]{0,17})\.(?P<secret>[A-Za-z0-9_-]{1,32})"
    r"|(?P<kind>[so])(?P<parent>[1-9][0-9]{0,17})\.(?P<nonce>[A-Za-z0-9_-]{16})\.(?P<mac>[A-Za-z0-9_-]{22})"
)


@dataclass(frozen=True)
class Link:
    """A link that opens now. `onward` is its row, once it was kept; the link of the scan itself has none, and no nonce."""

    scan: Scan
    onward: Onward | None
    code: str = field(repr=False)
    nonce: str = ""
    parent: Onward | None = None

    @property
    def order(self) -> Order:
        """The quote that it shows: a link without one opens nothing."""
        order = self.scan.order
        if order is None:
            raise Order.DoesNotExist
        return order

    @property
    def is_own(self) -> bool:
        """Whether it is the link of the scan itself, as the card has it."""
        return not self.nonce

    @property
    def number(self) -> str:
        """What names the link, up to 64 characters, and opens nothing."""
        return f"o{self.nonce}" if self.nonce else f"s{self.scan.pk}"

    @property
    def depth(self) -> int:
        """How many times it was passed on; 0 for the scan's own."""
        return 0 if self.is_own else self.parent.depth + 1 if self.parent else 1

    def get_absolute_url(self) -> str:
        return reverse("shared", args=[self.code])


@dataclass(frozen=True)
class _Said:
    """What a code says of itself. A malformed one names a row that cannot be."""

    kind: str = "s"
    number: int = 0
    nonce: str = ""
    proof: str = ""


def link_of(code: str) -> Link | None:
    """The link that `code` opens; None for an unknown, malformed, revoked or expired one. Two to four queries; one for None."""
    said = _read(code)
    found = _look(said)
    scan_id, secret, account_id, scanned_at = found or (0, "", 0, None)
    expected = _mac(said, secret) if said.nonce else secret
    if not secrets.compare_digest(expected.encode(), said.proof.encode()) or scanned_at is None:
        return None
    if _is_over(account_id, scanned_at):
        return None
    scan = Scan.objects.select_related("order__account").filter(pk=scan_id).first()
    if scan is None:  # deleted since the look
        return None
    if not said.nonce:
        return Link(scan, None, code)
    onward = Onward.objects.filter(nonce=said.nonce).first()
    parent = Onward.objects.filter(pk=said.number).first() if said.kind == "o" else None
    return Link(scan, onward, code, nonce=said.nonce, parent=parent)


def onward_code(scan: Scan, parent: Onward | None) -> str:
    """A new code that descends from the forward `parent`, or from the scan's own link. Under 70 characters."""
    kind, number = ("o", parent.pk) if parent else ("s", scan.pk)
    said = _Said(kind, number, secrets.token_urlsafe(NONCE_BYTES))
    return f"{_name(said)}.{_mac(said, scan.secret)}"


def _read(code: str) -> _Said:
    match = _CODE.fullmatch(code)
    if match is None:
        return _Said(proof="-")
    if match["scan"]:
        return _Said(number=int(match["scan"]), proof=match["secret"])
    return _Said(match["kind"], int(match["parent"]), match["nonce"], match["mac"])


def _look(said: _Said) -> tuple[int, str, int, datetime] | None:
    """Scan, secret, account and time behind the number, as long as its link is not revoked and there is a quote."""
    if said.kind == "o":
        rows = Onward.objects.filter(pk=said.number, scan__revoked=False, scan__order__isnull=False)
        return rows.values_list("scan_id", "scan__secret", "scan__account_id", "scan__scanned_at").first()
    scans = Scan.objects.filter(pk=said.number, revoked=False, order__isnull=False)
    return scans.values_list("pk", "secret", "account_id", "scanned_at").first()


def _name(said: _Said) -> str:
    return f"{said.kind}{said.number}.{said.nonce}"


def _mac(said: _Said, secret: str) -> str:
    digest = salted_hmac(PURPOSE, f"{_name(said)}.{secret}", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:MAC_BYTES]).decode().rstrip("=")


def _is_over(account_id: int, scanned_at: datetime) -> bool:
    """Whether the account lets its links end, and this one has."""
    days = int(conf.account_by_id(account_id).get("wechat_link_days") or 0)
    return bool(days) and scanned_at + timedelta(days=days) <= timezone.now()
