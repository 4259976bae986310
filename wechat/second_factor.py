"""Whether a member of staff takes a second step to sign in, and how he gets and loses it.

STAFF_OTP says who must have one. Who has one is always asked for it, whatever the setting says.
"""

import logging
from typing import Any

from django.conf import settings
from django.db import transaction

from wechat import sessions
from wechat.models import SecondFactor

logger = logging.getLogger(__name__)

OFF, MANAGERS, ALL = "off", "managers", "all"
SECRETS = "wechat.change_account"  # who may change the secrets of an account is a manager


def required_of(user: Any) -> bool:
    """Whether STAFF_OTP asks this person to have a second step."""
    if settings.STAFF_OTP == MANAGERS:
        return bool(user.is_superuser or user.has_perm(SECRETS))
    return bool(settings.STAFF_OTP == ALL)


def of(user: Any) -> SecondFactor | None:
    """The second step of this person, if he has confirmed one."""
    return SecondFactor.objects.filter(user_id=user.pk, confirmed=True).first()


def begin(user: Any) -> SecondFactor:
    """One that waits to be confirmed: the same one again until then, so that a page can be loaded twice."""
    waiting = SecondFactor.objects.filter(user_id=user.pk, confirmed=False).first()
    if waiting is None:
        waiting = SecondFactor.fresh(user)
        waiting.save()
    return waiting


def confirm(user: Any, code: str) -> tuple[SecondFactor, list[str]] | None:
    """Take the waiting one into use when `code` is of its app. Returns it with its backup codes; None: a wrong code."""
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user_id=user.pk, confirmed=False).first()
        if factor is None or not factor.verify_token(code):
            return None
        factor.confirmed = True
        codes = factor.new_codes()
        factor.save()
    return factor, codes


def check(user: Any, code: str) -> SecondFactor | None:
    """The second step of this person if `code` is right; the code is used up. One that is wrong makes the next wait."""
    with transaction.atomic():
        factor: SecondFactor | None = (
            SecondFactor.objects.select_for_update().filter(user_id=user.pk, confirmed=True).first()
        )
        if factor is not None and factor.verify_token(code):
            return factor
    logger.warning("a second step of %s was wrong, or came too early after one that was", user.get_username())
    return None


def new_codes(user: Any) -> list[str]:
    """Ten new backup codes in place of those before. Empty when there is no second step."""
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user_id=user.pk, confirmed=True).first()
        if factor is None:
            return []
        codes: list[str] = factor.new_codes()
        factor.save(update_fields=["codes"])
    return codes


def remove(user: Any) -> bool:
    """Take it away, and sign this person out everywhere: the phone may be in somebody else's hand. False: there was none."""
    removed, _by_model = SecondFactor.objects.filter(user_id=user.pk).delete()
    if removed:
        sessions.end(user)
    return bool(removed)
