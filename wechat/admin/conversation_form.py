"""The box in which staff answer one person: text, card, choices, mini program, picture, voice, video.

Comes in: what they typed. Goes out: a Reply, or what is wrong with which field. Nothing is cut silently.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from wechat.models import Material
from wechat.notifications import MiniProgram, MsgMenu
from wechat.replies import DESCRIPTION_BYTES, TEXT_BYTES, TITLE_BYTES, Article, Image, News, Reply, Text, Video, Voice

MOST_CHOICES, CHOICE_BYTES = 10, 256  # the platform publishes no limits, and refuses with 45098 and 45099
OFFERED = 200  # files of one kind in a list
_AGENT = re.compile(r"\w{1,10}@[\w-]{1,40}")
_NUMBER = re.compile(r"[0-9a-f]{8,16}")

KINDS = {  # name: label and icon, in the order of the bar
    "text": (_("Text"), "chat_bubble"),
    "news": (_("Card"), "newspaper"),
    "msgmenu": (_("Choices"), "checklist"),
    "miniprogrampage": (_("Mini program card"), "widgets"),
    "image": (_("Picture"), "image"),
    "voice": (_("Voice message"), "mic"),
    "video": (_("Video"), "movie"),
}


def _line(label: Any, longest: int = 512, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=longest, required=False, widget=UnfoldAdminTextInputWidget(), **options
    )


def _files(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, widget=UnfoldAdminSelectWidget())


class AnswerForm(forms.Form):
    """All boxes of all kinds; the page shows those of the chosen one, and the others keep what was typed."""

    kind = forms.ChoiceField(choices=[(name, label) for name, (label, _icon) in KINDS.items()], initial="text")
    number = forms.CharField(required=False, widget=forms.HiddenInput)
    may_wait = forms.BooleanField(required=False)
    agent = forms.CharField(required=False, max_length=64)
    content = forms.CharField(label=_("Text"), required=False, strip=False, widget=UnfoldAdminTextareaWidget())
    title = _line(_("Title"))
    description = forms.CharField(label=_("Description"), required=False, widget=UnfoldAdminTextareaWidget({"rows": 2}))
    url = _line(_("Link"), 1024)
    picurl = _line(_("Address of the picture"), 1024)
    head = _line(_("Question"))
    items = forms.CharField(
        label=_("Choices, one a line"), required=False, widget=UnfoldAdminTextareaWidget({"rows": 3})
    )
    tail = _line(_("Closing words"))
    appid = _line(_("App ID of the mini program"), 64)
    pagepath = _line(_("Page of the mini program"), 512)
    card_title = _line(_("Title"))
    cover = _files(_("Cover"))
    image = _files(_("Picture"))
    voice = _files(_("Voice message"))
    video = _files(_("Video"))
    thumb = _files(_("Cover"))
    video_title = _line(_("Title"))
    video_description = _line(_("Description"))
    image_id, voice_id, video_id = (_line(_("or a media ID"), 128) for _each in range(3))
    cover_id, thumb_id = (_line(_("or a media ID"), 128) for _each in range(2))

    def __init__(self, account_id: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].initial = secrets.token_hex(6)
        files = _materials(account_id)
        for name, of in (("image", "image"), ("voice", "voice"), ("video", "video")):
            self._offer(name, files.get(of, []))
        covers = [*files.get("thumb", []), *files.get("image", [])]
        self._offer("cover", covers)
        self._offer("thumb", covers)

    @property
    def reply(self) -> Reply:
        """What was typed; the form must be valid."""
        return self._reply

    def sections(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The boxes of each kind, for the page."""
        return ((name, [self[field] for field in fields if field in self.fields]) for name, fields in _BOXES.items())

    def bar(self) -> list[dict[str, Any]]:
        """The kinds to choose from."""
        chosen = self["kind"].value()
        return [
            {"name": name, "label": label, "icon": icon, "on": name == chosen} for name, (label, icon) in KINDS.items()
        ]

    def clean_number(self) -> str:
        number = self.cleaned_data["number"]
        return number if _NUMBER.fullmatch(number) else secrets.token_hex(6)

    def clean_agent(self) -> str:
        agent: str = self.cleaned_data["agent"]
        if agent and not _AGENT.fullmatch(agent):
            raise ValidationError(_("Choose one of the agents."))
        return agent

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        made = _MAKERS.get(cleaned.get("kind", ""))
        if made and not self.errors:
            try:
                self._reply = made(self)
            except _Missing as missing:
                self.add_error(missing.field, missing.words)
        return cleaned

    def _offer(self, name: str, files: list[tuple[str, str]]) -> None:
        if files:
            self.fields[name].choices = [("", "—"), *files]  # type: ignore[attr-defined]
        else:
            del self.fields[name]
            self.fields[f"{name}_id"].label = _("Media ID")
            self.fields[f"{name}_id"].help_text = _("There is no file of this kind among the materials.")

    def need(self, field: str, words: Any, *, most: int = 0) -> str:
        """What stands in a box that must not be empty, of at most so many bytes."""
        text: str = self.cleaned_data.get(field, "")
        if not text.strip():
            raise _Missing(field, words)
        return self.short(field, most)

    def short(self, field: str, most: int) -> str:
        """What stands in a box, if it has at most so many bytes."""
        text: str = self.cleaned_data.get(field, "")
        if most and len(text.encode()) > most:
            words = _("Too long: %(bytes)d of %(most)d bytes; a Chinese character has three.")
            raise _Missing(field, words % {"bytes": len(text.encode()), "most": most})
        return text

    def address(self, field: str) -> str:
        """A web address, or nothing."""
        text: str = self.cleaned_data.get(field, "").strip()
        if text and not re.fullmatch(r"https?://[^\s<>\"\\]{3,}", text):
            raise _Missing(field, _("An address that begins with https:// or http://."))
        return text

    def file(self, field: str) -> str:
        """The chosen file, or the media ID typed beside it."""
        found: str = self.cleaned_data.get(f"{field}_id", "").strip() or self.cleaned_data.get(field, "")
        if not found:
            raise _Missing(field if field in self.fields else f"{field}_id", _("Choose a file."))
        if not re.fullmatch(r"[\w-]{1,128}", found, re.ASCII):
            raise _Missing(f"{field}_id", _("A media ID has letters, digits, _ and - only."))
        return found


class _Missing(Exception):
    def __init__(self, field: str, words: Any) -> None:
        super().__init__(field)
        self.field, self.words = field, words


def _news(form: AnswerForm) -> Reply:
    title = form.need("title", _("A card needs a title."), most=TITLE_BYTES)
    if not form.address("url"):
        raise _Missing("url", _("A card needs a link."))
    description = form.short("description", DESCRIPTION_BYTES)
    return News((Article(title, description, form.address("url"), form.address("picurl")),))


def _menu(form: AnswerForm) -> Reply:
    head = form.need("head", _("Ask something."), most=TEXT_BYTES)
    items = [line.strip() for line in form.cleaned_data["items"].splitlines() if line.strip()]
    if not items:
        raise _Missing("items", _("At least one choice."))
    if len(items) > MOST_CHOICES or any(len(item.encode()) > CHOICE_BYTES for item in items):
        words = _("At most %(most)d choices of %(bytes)d bytes each.")
        raise _Missing("items", words % {"most": MOST_CHOICES, "bytes": CHOICE_BYTES})
    numbered = tuple((str(number), item) for number, item in enumerate(items, 101))
    return MsgMenu(numbered, head, form.short("tail", TEXT_BYTES))


def _program(form: AnswerForm) -> Reply:
    return MiniProgram(
        appid=form.need("appid", _("Which mini program? It must be linked to the account.")),
        pagepath=form.need("pagepath", _("Which of its pages?")),
        title=form.need("card_title", _("A card needs a title."), most=TITLE_BYTES),
        thumb=form.file("cover"),
    )


def _video(form: AnswerForm) -> Reply:
    described = {"title": form.cleaned_data["video_title"], "description": form.cleaned_data["video_description"]}
    return Video(media=form.file("video"), thumb=form.file("thumb"), **described)


_MAKERS: dict[str, Callable[[AnswerForm], Reply]] = {
    "text": lambda form: Text(form.need("content", _("Write something."), most=TEXT_BYTES)),
    "news": _news,
    "msgmenu": _menu,
    "miniprogrampage": _program,
    "image": lambda form: Image(form.file("image")),
    "voice": lambda form: Voice(form.file("voice")),
    "video": _video,
}
_BOXES = {
    "text": ("content",),
    "news": ("title", "description", "url", "picurl"),
    "msgmenu": ("head", "items", "tail"),
    "miniprogrampage": ("card_title", "appid", "pagepath", "cover", "cover_id"),
    "image": ("image", "image_id"),
    "voice": ("voice", "voice_id"),
    "video": ("video", "video_id", "thumb", "thumb_id", "video_title", "video_description"),
}


def _materials(account_id: int) -> dict[str, list[tuple[str, str]]]:
    """The account's files that the platform has now, by kind: media ID and name."""
    usable = Material.objects.filter(account_id=account_id).exclude(media_id="")
    usable = usable.filter(Q(permanent=True) | Q(expires_at__gt=timezone.now()))
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, media_id, name in usable.values_list("kind", "media_id", "name")[: OFFERED * 4]:
        files = found.setdefault(kind, [])
        if len(files) < OFFERED:
            files.append((media_id, name))
    return found
