"""Eight digits in place of a code: the quote page shows them when WeChat gives no code, and who writes them gets the card.

Comes in: a page that has no code to show; a text of a person. Goes out: the digits; the card, as after a scan.

Digits can be guessed, so a person may try five times an hour. His attempts are counted in the record of his own pushes,
where they stand anyway: that needs no rows of its own, holds over all processes, and is taken back with a rehearsal. A text
that is no attempt costs no statement, and neither do the digits of a phone number or a price.
"""

import re
import secrets
import unicodedata
from datetime import timedelta

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from orders.models import Order, Scan, ShortCode
from orders.scans import give_card
from wechat import messages, routing
from wechat.models import Push
from wechat.replies import Text
from wechat.routing import Contact, Handled

DIGITS = 8
LASTS = timedelta(minutes=30)
LEAST = timedelta(minutes=5)  # what is left to type them; a code with less is not shown any more
KEPT = timedelta(days=1)  # after its end
TRIES = 5  # of one person
WITHIN = timedelta(hours=1)
MOST_TEXTS = 200  # of one person in that time; who writes more has no try left

_LONGEST = 40  # characters of a text that can be an attempt
_FORM = re.compile(
    r"(?P<word>报价单?|報價單?|quote)?[\s:,.#-]*(?P<digits>[0-9](?:[\s-]{0,2}[0-9]){7})[\s.。!]*", re.IGNORECASE
)


def shown_code(order: Order) -> str:
    """The digits for the page of this quote, those of before while they are valid; "" while the database is busy."""
    now = timezone.now()
    try:
        with transaction.atomic():
            valid = order.short_codes.filter(used_at=None, expires_at__gt=now + LEAST).order_by("-expires_at").first()
            if valid:
                return valid.digits
            ShortCode.objects.filter(expires_at__lt=now - KEPT).delete()
            return _free_code(order).digits
    except (OperationalError, InterfaceError):
        return ""


def _free_code(order: Order) -> ShortCode:
    while True:
        digits = str(10 ** (DIGITS - 1) + secrets.randbelow(9 * 10 ** (DIGITS - 1)))
        try:
            with transaction.atomic():
                return ShortCode.objects.create(order=order, digits=digits, expires_at=timezone.now() + LASTS)
        except IntegrityError:  # taken by another quote
            continue


def in_groups(digits: str) -> str:
    """`1234 5678`, as people read and type it."""
    return f"{digits[:4]} {digits[4:]}".strip()


@routing.on("text")
def typed(contact: Contact) -> Handled | None:
    """The card for the digits of a quote. None for any other text: the rules answer it."""
    attempt = _read(contact.message.fields.get("content", ""))
    if attempt is None:
        return None
    digits, named = attempt
    code = _valid(contact, digits) if _may_try(contact) else None
    if code is None:
        # Eight digits alone may mean anything: a date, an order of another shop. Then the rules know better.
        return Handled(Text(contact.account.get("wechat_short_code_text"))) if named else None
    return give_card(contact, code.order.figures, scene=str(code.order.orderid), kind=Scan.Kind.TYPED)


def _read(text: str) -> tuple[str, bool] | None:
    """The digits in a text that is an attempt, and whether it names what they are; None for another text.

    `报价 1234 5678`, `报价：12345678`, full-width, or the eight digits alone. A phone number, a price, an area or a number of
    another shape (`报价 2024-001`) never is.
    """
    if len(text) > _LONGEST or not (found := _FORM.fullmatch(unicodedata.normalize("NFKC", text).strip())):
        return None
    digits, named = re.sub("[^0-9]", "", found["digits"]), bool(found["word"])
    return digits, named


def _may_try(contact: Contact) -> bool:
    """Whether this person has a try left for the push at hand."""
    his = Push.objects.filter(openid=contact.message.sender, account_id=contact.account.id, kind="text")
    lately = his.filter(received_at__gt=contact.now - WITHIN, received_at__lte=contact.now).order_by("-pk")
    bodies = list(lately.exclude(pk=contact.push_id).values_list("raw", flat=True)[:MOST_TEXTS])
    return len(bodies) < MOST_TEXTS and sum(_is_attempt(body) for body in bodies) < TRIES


def _is_attempt(body: str) -> bool:
    return bool(body) and _read(messages.parse(body.encode()).fields.get("content", "")) is not None


def _valid(contact: Contact, digits: str) -> ShortCode | None:
    """The code of these digits, used up by this; None when there is none, or somebody was faster."""
    codes = ShortCode.objects.filter(digits=digits, order__account_id=contact.account.id)
    mine = codes.filter(used_at=None, expires_at__gt=contact.now)
    code = mine.select_related("order").first()
    used = code and ShortCode.objects.filter(pk=code.pk, used_at=None).update(used_at=contact.now)
    return code if used else None
