"""What the firm's web addresses need: the platform's check file, and who may show our pages in a frame."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from wechat.registry.row import Row

WEB = _("Web pages")


def _is_verification_name(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}\.txt", value):
        raise ValidationError(_("Give the name of the file as WeChat does, such as MP_verify_aBcD0123EfGh4567.txt."))


def _is_verification_content(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_.=-]{1,200}", value):
        raise ValidationError(_("Open the file and paste what is in it: one line of letters and digits."))


def _are_origins(value: str) -> None:
    for line in value.split():
        if not re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", line):
            message = _(
                "“%(line)s” is no origin. Write one a line, such as https://www.example.com: no path, small letters."
            )
            raise ValidationError(message % {"line": line[:80]})


ROWS = (
    Row(
        "wechat_verify_file_name",
        _("Name of WeChat's check file"),
        _(
            "WeChat's console asks for this file when a domain is entered for web pages (网页授权域名, JS接口安全域名): "
            "copy its name and content here, and it can be read at the root of the site."
        ),
        group=WEB,
        check=_is_verification_name,
    ),
    Row(
        "wechat_verify_file_content",
        _("Content of WeChat's check file"),
        group=WEB,
        check=_is_verification_content,
    ),
    Row(
        "wechat_embed_origins",
        _("Websites that may show quotes"),
        _(
            "One origin a line, such as https://www.example.com. Pages there may show a quote's code, its state and the "
            "form of the instant quote in a frame. Empty: none."
        ),
        group=WEB,
        check=_are_origins,
        multiline=True,
    ),
)
