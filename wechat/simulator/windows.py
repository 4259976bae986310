"""When the account may write to a person: one bucket of messages for each kind of contact.

Source: wechat-api.md, sections 6.1 and 16. That a new event refills its bucket is an assumption written down there.
"""

from dataclasses import dataclass, field

MINUTE = 60.0
TWO_DAYS = 48 * 3600.0
ALLOWANCES: dict[str, tuple[int, float]] = {  # messages, seconds
    "user_msg": (5, TWO_DAYS),
    "menu": (3, MINUTE),
    "follow": (3, MINUTE),
    "scan": (3, MINUTE),
}


@dataclass
class Bucket:
    """What is left of one allowance, and until when (Unix seconds)."""

    left: int
    expires: float


@dataclass
class Windows:
    """The buckets of one person at one account."""

    buckets: dict[str, Bucket] = field(default_factory=dict)

    def open(self, kind: str, now: float) -> None:
        """A contact of `kind` happened: its bucket is full again."""
        messages, seconds = ALLOWANCES[kind]
        self.buckets[kind] = Bucket(left=messages, expires=now + seconds)

    def close(self) -> None:
        """The person unfollowed: nothing may be sent any more."""
        self.buckets.clear()

    def refusal(self, now: float) -> int | None:
        """45015 when no window is open, 45047 when all open ones are used up, None when a message may go."""
        running = [bucket for bucket in self.buckets.values() if now < bucket.expires]
        if not running:
            return 45015
        return None if any(bucket.left for bucket in running) else 45047

    def consume(self, now: float) -> None:
        """Take one message out of the open bucket that expires first. Ask `refusal` before."""
        usable = (bucket for bucket in self.buckets.values() if bucket.left and now < bucket.expires)
        min(usable, key=lambda bucket: bucket.expires).left -= 1

    def as_json(self, now: float) -> dict[str, dict[str, float]]:
        """Open buckets by kind: messages left and seconds left."""
        return {
            kind: {"left": bucket.left, "seconds": round(bucket.expires - now, 1)}
            for kind, bucket in self.buckets.items()
            if now < bucket.expires
        }
