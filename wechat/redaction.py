"""What a log line may show: one line each, nothing that a stranger wrote taken for layout, no secret."""

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType

MAX_LENGTH = 8000  # characters
_SECRET = re.compile(
    r"(?i)(access_token|refresh_token|appsecret|secret|aes_?key|api-key|ticket|code|authorization)"
    r"((?:%3D|[\"']?\s{0,3}[=:\s]\s{0,3}[\"']?))(?:(?:Api-Key|Bearer)\s{1,3})?([A-Za-z0-9_\-+/=.%!|]{8,})"
)
# A password in an address (of a database, a mail server), and the key of a group chat's webhook.
_IN_ADDRESS = re.compile(
    r"(?i)(://[^\s/:@\"']{0,80}:)[^\s/@\"']{1,200}(?=@)|([?&](?:key|sign)=|/hook/)[A-Za-z0-9_\-%]{8,}"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def redact(text: str) -> str:
    """`text` with the values of tokens, secrets and keys replaced by `***`."""
    return _IN_ADDRESS.sub(r"\1\2***", _SECRET.sub(r"\1\2***", text))


def shown(text: str) -> str:
    """`text` redacted and cut to some 8,000 characters."""
    if len(text) > MAX_LENGTH:  # before anything looks at it; a traceback says at its end what happened
        text = f"{text[: MAX_LENGTH // 2]} … {text[-MAX_LENGTH // 2 :]}"
    return redact(text)


def catch_the_rest() -> None:
    """Log what would otherwise go to standard error as it is: warnings, and exceptions that nobody caught."""
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, where)
        return
    logging.getLogger(__name__).critical("nobody caught this", exc_info=(kind, error, where))


def _uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None:
        _uncaught(what.exc_type, what.exc_value, what.exc_traceback)


class OneLine(logging.Formatter):
    """Formats a record, its traceback included, as one redacted line of at most 8,000 characters; its time is UTC."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  # logging's name
        return datetime.fromtimestamp(record.created, UTC).strftime(datefmt or "%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        text = shown(super().format(record))
        return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class JsonLine(logging.Formatter):
    """Formats a record as one line of JSON: time (UTC), level, logger, message, and the traceback as `exception`.

    Line breaks stay in the texts, escaped: who reads it wants a traceback as it was.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": shown(record.getMessage()),
            "process": record.process,
            "thread": record.threadName,
        }
        if record.exc_info:
            entry["exception"] = shown(self.formatException(record.exc_info))
        if record.stack_info:
            entry["stack"] = shown(self.formatStack(record.stack_info))
        return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(entry, ensure_ascii=False))
