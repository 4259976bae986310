"""What an examination says: a finding is good, a warning, or bad, with what was found and what to do."""

from dataclasses import dataclass, replace
from enum import StrEnum

from wechat.conf import AccountConfig


class Level(StrEnum):
    """How a finding stands. Only BAD is a fault: a warning is for somebody to know."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `text` says what was found, `remedy` what to do."""

    what: str
    level: Level
    text: str = ""
    remedy: str = ""
    account: str = ""

    @property
    def fine(self) -> bool:
        """Whether it is no fault."""
        return self.level is not Level.BAD

    @property
    def title(self) -> str:
        """What was looked at, without the account."""
        return self.what.removeprefix(f"{self.account}: ") if self.account else self.what


def good(what: str, text: str = "") -> Finding:
    """All is well."""
    return Finding(what, Level.OK, text)


def warn(what: str, text: str, remedy: str = "") -> Finding:
    """Somebody should know."""
    return Finding(what, Level.WARN, text, remedy)


def bad(what: str, text: str, remedy: str) -> Finding:
    """A fault."""
    return Finding(what, Level.BAD, text, remedy)


def about(account: AccountConfig, finding: Finding) -> Finding:
    """The same finding, with the account it is about."""
    return replace(finding, what=f"{account.slug}: {finding.what}", account=account.slug)
