"""The second step of signing in: an app that shows six digits, and ten codes on paper for the day when the phone is lost."""

import hashlib
import hmac
import secrets
import time
from base64 import b32encode
from typing import Any
from urllib.parse import quote, urlencode

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from wechat.sealing import SealBroken, seal, unseal

ISSUER = "WxHub"
CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look alike
CODE_LENGTH = 10  # 49 bits, behind scrypt and the waiting time


class SecondFactor(ThrottlingMixin, Device):
    """The app of one member of staff (TOTP, RFC 6238). Its key is sealed; of the codes only slow hashes are stored.

    After n wrong codes in a row the next is looked at after 2ⁿ⁻¹ seconds only (django-otp).
    """

    sealed = models.TextField(_("key"))
    last_step = models.BigIntegerField(default=-1)  # no code serves twice
    salt = models.CharField(max_length=32)
    codes = models.JSONField(_("backup codes"), default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)

    class Meta:
        verbose_name = _("second step of signing in")
        verbose_name_plural = _("second steps of signing in")
        constraints = (models.UniqueConstraint(fields=["user"], name="one_second_factor"),)

    @classmethod
    def fresh(cls, user: Any) -> "SecondFactor":
        """A new one, not confirmed and not saved."""
        return cls(user=user, confirmed=False, sealed=seal(secrets.token_hex(20)), salt=secrets.token_hex(16))

    def get_throttle_factor(self) -> int:
        """Seconds to wait after the first wrong code."""
        return 1

    def key(self) -> bytes:
        """What app and server share. Raises SealBroken."""
        return bytes.fromhex(unseal(self.sealed))

    def key_in_letters(self) -> str:
        """For who cannot scan: the key in base32, four letters at a time."""
        text = b32encode(self.key()).decode()
        return " ".join(text[at : at + 4] for at in range(0, len(text), 4))

    def address(self) -> str:
        """What the QR code says.

        Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format
        """
        label = quote(f"{ISSUER}:{self.user.get_username()}")
        return f"otpauth://totp/{label}?{urlencode({'secret': b32encode(self.key()).decode(), 'issuer': ISSUER})}"

    def new_codes(self) -> list[str]:
        """Ten new backup codes; those before are worth nothing. To be saved."""
        made = ["".join(secrets.choice(LETTERS) for _number in range(CODE_LENGTH)) for _one in range(CODES)]
        self.codes = [self._hash(code) for code in made]
        return [f"{code[:5]}-{code[5:]}" for code in made]

    def verify_token(self, token: str) -> bool:
        """Whether `token`, six digits or a backup code, is right; it is then used up. Counts what is wrong."""
        if not self.verify_is_allowed()[0]:  # type: ignore[no-untyped-call]
            return False
        typed = "".join(token.split()).replace("-", "").lower()
        if not (self._takes_digits(typed) or self._takes_code(typed)):
            self.throttle_increment()  # type: ignore[no-untyped-call]
            return False
        self.last_used_at = timezone.now()
        self.throttle_reset()  # type: ignore[no-untyped-call]
        return True

    def _takes_digits(self, typed: str) -> bool:
        if not (len(typed) == 6 and typed.isascii() and typed.isdigit()):
            return False
        try:
            clock = TOTP(self.key())
        except SealBroken:
            return False
        clock.time = time.time()
        if not clock.verify(int(typed), tolerance=1, min_t=self.last_step + 1):
            return False
        self.last_step = clock.t()
        return True

    def _takes_code(self, typed: str) -> bool:
        if len(typed) != CODE_LENGTH or not typed.isascii():
            return False
        found = self._hash(typed)
        left = [one for one in self.codes if not hmac.compare_digest(one, found)]
        used, self.codes = len(left) < len(self.codes), left
        return used

    def _hash(self, code: str) -> str:
        return hashlib.scrypt(code.encode(), salt=bytes.fromhex(self.salt), n=2**14, r=8, p=1, dklen=32).hex()
