"""What a log line may show: one line each, nothing that a stranger wrote taken for layout, no secret."""

import logging
import re

MAX_LENGTH = 8000  # characters
_SECRET = re.compile(
    r"(?i)(access_token|refresh_token|appsecret|secret|aes_?key|api-key|ticket|code|authorization)"
    r"((?:%3D|[\"']?\s{0,3}[=:\s]\s{0,3}[\"']?))(?:Api-Key\s{1,3})?([A-Za-z0-9_\-+/=.%!|]{8,})"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def redact(text: str) -> str:
    """`text` with the values of tokens, secrets and keys replaced by `***`."""
    return _SECRET.sub(r"\1\2***", text)


class OneLine(logging.Formatter):
    """Formats a record, its traceback included, as one redacted line of at most 8,000 characters."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if len(text) > MAX_LENGTH:  # before anything looks at it; a traceback says at its end what happened
            text = f"{text[: MAX_LENGTH // 2]} … {text[-MAX_LENGTH // 2 :]}"
        text = redact(text)
        return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
