"""The REST interface of the account: keys and scopes, how JSON is read, and trying what a message would be answered.

Keys go in the header `Authorization: Api-Key …` and carry scopes. Errors are JSON, field by field. All DRF code of this room
is here; orders.api builds on it.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from django.core.exceptions import ValidationError as Mistake
from django.core.validators import MaxValueValidator, MinValueValidator
from django.urls import path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import BaseHasAPIKey

from wechat import conf, trial
from wechat.keywords import KINDS as KEYWORDS
from wechat.models import Account, ApiKey
from wechat.rules import Verdict
from wechat.trial import EARLIEST, FIELDS, KINDS, LATEST, Result

OTHERS = 50  # rules that do not match, in one answer
EVENTS = tuple(dict.fromkeys(kind.event for kind in KINDS.values() if kind.event))
MESSAGES = tuple(name for name, kind in KINDS.items() if not kind.event)


class BoundedJSON(JSONParser):
    """JSON whose nesting Python can follow, and whose text can be stored: half a surrogate pair cannot."""

    def parse(self, *arguments: Any, **options: Any) -> Any:
        try:
            data = super().parse(*arguments, **options)
            json.dumps(data, ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError):
            raise ParseError from None
        return data


class HasKey(BaseHasAPIKey):
    """A valid key in the Authorization header."""

    model = ApiKey


def scope(name: str) -> type[BasePermission]:
    """A permission: a valid key that carries this scope."""

    class HasScope(HasKey):
        message: str | Promise = _("Send a valid key in the header: Authorization: Api-Key …")

        def has_permission(self, request: Any, view: Any) -> bool:
            if not super().has_permission(request, view):
                return False
            self.message = _("Your key may not do this; it needs the scope %(scope)s.") % {"scope": name}
            key = cast("ApiKey", ApiKey.objects.get_from_key(self.get_key(request) or ""))
            key.note_use()
            return key.allows(name)

    return HasScope


class Strict:
    """Refuses fields it does not know: a typing error must not silently lose a value."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            fields = self.fields.items()  # type: ignore[attr-defined]
            unknown = set(data) - {name for name, field in fields if not field.read_only}
            if unknown:
                raise ValidationError({name: [_("There is no such field.")] for name in sorted(map(str, unknown))})
        return super().to_internal_value(data)  # type: ignore[misc]


def only_account() -> Account:
    """The one account there is. Raises ValidationError, for the field `account`, when there are several or none."""
    accounts = list(Account.objects.all()[:2])
    if len(accounts) != 1:
        reason = _("Say which account.") if accounts else _("There is no account yet; see `manage.py account`.")
        raise ValidationError({"account": [reason]})
    return accounts[0]


class EventField(serializers.ChoiceField):
    """An event as the platform names it, whatever its case."""

    def to_internal_value(self, data: Any) -> str:
        spelt = {event.lower(): event for event in EVENTS}
        return str(super().to_internal_value(spelt.get(data.lower(), data) if isinstance(data, str) else data))


def _text(name: str) -> serializers.CharField:
    label, longest = FIELDS[name]
    return serializers.CharField(
        max_length=longest, required=False, allow_blank=True, trim_whitespace=False, help_text=str(label)
    )


class TrySerializer(Strict, serializers.Serializer[Any]):
    """What to try: a message of a person, or an event. Which further fields it takes follows from that."""

    account = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Account.objects.all(),
        required=False,
        help_text=_("Short name of the account; needed if there is more than one."),
    )
    type = serializers.ChoiceField((*MESSAGES, "event"), help_text=_("MsgType of the push."))
    event = EventField(EVENTS, required=False, help_text=_("With the type event: which."))
    content = _text("content")
    key = _text("key")
    scene = _text("scene")
    result = _text("result")
    url = _text("url")
    latitude = _text("latitude")
    longitude = _text("longitude")
    openid = serializers.RegexField(
        r"^[A-Za-z0-9_-]{1,64}$", required=False, help_text=_("As which follower. Left out: somebody invented.")
    )
    at = serializers.DateTimeField(
        required=False,
        validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
        help_text=_("At which moment. Left out: now."),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        values = {name: attrs[name] for name in FIELDS if name in attrs}
        is_event = attrs["type"] == "event"
        if is_event != ("event" in attrs):
            raise ValidationError({"event": [_("Say which event.") if is_event else _("This has no place here.")]})
        kind = trial.of_event(attrs["event"], scene=values.get("scene", "")) if is_event else str(attrs["type"])
        try:
            trial.check(kind, values)
        except Mistake as error:
            raise ValidationError(error.message_dict) from None
        return {**attrs, "kind": kind, "values": values, "account": attrs.get("account") or only_account()}

    def run(self) -> Result:
        """Try it."""
        asked = self.validated_data
        account, at = conf.account_by_id(asked["account"].pk), asked.get("at") or timezone.now()
        pushed = trial.message(asked["kind"], asked["values"], account=account, openid=asked.get("openid", ""), at=at)
        return trial.run(account, pushed, at)


class KeywordSerializer(serializers.Serializer[Any]):
    """One keyword of a rule."""

    kind = serializers.ChoiceField(tuple(KEYWORDS))
    text = serializers.CharField()


class ConsideredSerializer(serializers.Serializer[Any]):
    """One rule that was considered."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    matched = serializers.BooleanField()
    keyword = KeywordSerializer(allow_null=True)
    reason = serializers.CharField()


class AskedSerializer(serializers.Serializer[Any]):
    """What the rules were asked: events become texts."""

    text = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text=_("The event that the text came from; null: typed.")
    )
    handle = serializers.CharField()
    scene = serializers.CharField(allow_null=True)


class EffectSerializer(serializers.Serializer[Any]):
    """A message that would go out beside the answer."""

    purpose = serializers.CharField()
    about = serializers.CharField()
    route = serializers.CharField()
    state = serializers.CharField()
    content = serializers.DictField()


class TriedSerializer(serializers.Serializer[Any]):
    """What would happen. Nothing was sent, and nothing kept."""

    asked = AskedSerializer(many=True)
    rules = ConsideredSerializer(many=True, help_text=_("Those that match, in order, then the first of the others."))
    considered = serializers.IntegerField(help_text=_("How many rules there are."))
    candidates = serializers.ListField(
        child=serializers.IntegerField(), help_text=_("Rules asked for an answer, in order.")
    )
    winner = serializers.IntegerField(allow_null=True, help_text=_("The rule that answers."))
    answered_by = serializers.CharField(allow_blank=True, help_text="rule, welcome, default, handler")
    private = serializers.BooleanField(help_text=_("The answer is somebody's own, such as a quote, and is not shown."))
    answer = serializers.DictField(allow_null=True)
    answer_xml = serializers.CharField(allow_blank=True)
    effects = EffectSerializer(many=True)
    milliseconds = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)


class TryRule(APIView):
    """Try what a message or an event would be answered, and why. Nothing is sent, and nothing kept."""

    permission_classes = [scope("rules:try")]
    parser_classes = [BoundedJSON]

    @extend_schema(request=TrySerializer, responses=TriedSerializer)
    def post(self, request: Request) -> Response:
        serializer = TrySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(TriedSerializer(_tried(serializer.run())).data)


def _tried(result: Result) -> dict[str, Any]:
    rehearsal, private = result.rehearsal, result.is_private
    handled = rehearsal.handled
    reply = handled.reply if handled and rehearsal.answer and not private else None
    matched = result.matched
    others = [*result.kept_out, *result.others][:OTHERS]
    return {
        "asked": rehearsal.contact.asked,
        "rules": [
            *(_considered(one, matched=True) for one in matched),
            *(_considered(one, matched=False) for one in others),
        ],
        "considered": len(result.verdicts),
        "candidates": [candidate.entry.id for candidate in result.candidates],
        "winner": result.winner_id,
        "answered_by": handled.answered_by if handled else "",
        "private": private,
        "answer": reply.stored() if reply else None,
        "answer_xml": "" if private else rehearsal.answer,
        "effects": [] if private else rehearsal.effects,
        "milliseconds": rehearsal.milliseconds,
        "error": rehearsal.error.strip().rpartition("\n")[2],
    }


def _considered(verdict: Verdict, *, matched: bool) -> dict[str, Any]:
    entry = verdict.entry
    return {
        "id": entry.id,
        "name": entry.name,
        "matched": matched,
        "keyword": verdict.keyword,
        "reason": verdict.reason,
    }


urlpatterns = [path("rules/try/", TryRule.as_view(), name="api-rules-try")]
