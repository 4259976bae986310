"""The page that makes posters: texts and size in a form, a picture of the first one beside it, and the files.

Comes in: Subjects, each a code with what stands under it. Goes out: PNG, PDF with a page for each, or a ZIP of PNGs. The same
page serves channel codes and, from another room, the code of one quote.
"""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from wechat import posters
from wechat.admin.pages import render
from wechat.models import Account, Brand
from wechat.posters import Poster

MOST = 100  # in one file: some twenty seconds at the size A4
PREVIEW = 480  # pixels
IN_MEMORY = 8_000_000  # bytes of a file; what is larger lies on the disk meanwhile


@dataclass(frozen=True, slots=True)
class Subject:
    """One code: the address in it, what stands below it, and the name of its file (ASCII)."""

    url: str
    label: str
    filename: str


class PosterForm(forms.Form):
    """What stands on it, and how large it is."""

    size = forms.ChoiceField(
        label=_("Size"),
        choices=(("a4", _("A4, for the wall")), ("a6", _("A6, for the counter")), ("square", _("Square, for phones"))),
        widget=UnfoldAdminSelectWidget,
    )
    headline = forms.CharField(label=_("Headline"), max_length=60, widget=UnfoldAdminTextInputWidget)
    subline = forms.CharField(
        label=_("Line below it"), max_length=120, required=False, widget=UnfoldAdminTextInputWidget
    )
    place = forms.ChoiceField(
        label=_("Logo"),
        choices=(
            ("code", _("In the middle of the code")),
            ("top", _("At the top")),
            ("both", _("Both")),
            ("none", _("None")),
        ),
        widget=UnfoldAdminSelectWidget,
    )


def texts() -> dict[str, str]:
    """What the form begins with."""
    return {
        "size": "a4",
        "headline": gettext("Scan with WeChat for your quote"),
        "subline": gettext("Follow us and the quote arrives in WeChat at once: to look at, to keep, to share."),
        "place": "code",
    }


def poster_page(
    request: HttpRequest, admin: Any, subjects: Sequence[Subject], account: Account, **context: Any
) -> HttpResponseBase:
    """The page, or the file that its button asks for (`?as=preview`, `png`, `pdf` or `zip`). `context` goes to the template."""
    asked = {name: request.GET[name] for name in PosterForm.base_fields if name in request.GET}
    form = PosterForm({**texts(), **asked})
    subjects = subjects[:MOST]
    kind = request.GET.get("as", "")
    if kind and form.is_valid() and subjects:
        return _file(kind, list(_posters(subjects, account, form.cleaned_data)), [each.filename for each in subjects])
    query = request.GET.copy()
    query.pop("as", None)
    brand = Brand.objects.filter(account=account).first()
    more = {"account": account, "form": form, "subjects": subjects, "most": MOST, "query": query}
    kept = [(name, value) for name, value in query.items() if name not in PosterForm.base_fields]
    return render(request, admin, "channel/posters.html", **more, kept=kept, logo=bool(brand and brand.logo), **context)


def _posters(subjects: Sequence[Subject], account: Account, texts: dict[str, str]) -> Iterator[Poster]:
    brand = Brand.objects.filter(account=account).first() or Brand()
    for subject in subjects:
        yield Poster(
            subject.url, str(account), label=subject.label, colour=brand.colour, logo=bytes(brand.logo), **texts
        )


def _file(kind: str, made: list[Poster], names: list[str]) -> HttpResponseBase:
    if kind == "preview":
        return HttpResponse(posters.png(made[0], width=PREVIEW), content_type="image/png")
    if kind == "png":
        file: IO[bytes] = io.BytesIO(posters.png(made[0]))
        return FileResponse(file, as_attachment=True, filename=f"{names[0]}.png", content_type="image/png")
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # the response closes it
    name = names[0] if len(names) == 1 else f"posters-{len(names)}"
    if kind == "zip":
        _write_zip(made, names, file)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=f"{name}.zip", content_type="application/zip")
    posters.write_pdf(made, file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.pdf", content_type="application/pdf")


def _write_zip(made: list[Poster], names: list[str], file: IO[bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # a PNG does not get smaller
        for poster, name in zip(made, names, strict=True):
            archive.writestr(f"{name}.png", posters.png(poster))
