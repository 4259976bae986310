"""Sending template messages by REST: to one person, to a tag, or to the people of a quote. Scope `templates:send`.

With a `client_msg_id` a repeat is harmless: the same number of the same key is one message, or one job, for ever.
"""

import hashlib
import json
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wechat import jobs, templating
from wechat.api import BoundedJSON, HasKey, Strict, only_account, scope
from wechat.models import Account, ApiKey, MessageTemplate, OutgoingMessage, SendJob, SendRequest, Tag

SCOPE = "templates:send"
MOST = 1024  # bytes of an address


class SendSerializer(Strict, serializers.Serializer[Any]):
    """What to send, and to whom: exactly one of `openid`, `tag`, `orderid`."""

    account = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Account.objects.all(),
        required=False,
        help_text=_("Short name of the account; needed if there is more than one."),
    )
    template_id = serializers.CharField(max_length=64)
    openid = serializers.RegexField(r"^[A-Za-z0-9_-]{1,64}$", required=False)
    tag = serializers.CharField(max_length=30, required=False, help_text=_("The name of a tag."))
    orderid = serializers.IntegerField(min_value=1, max_value=4_294_967_295, required=False)
    data = serializers.DictField(child=serializers.CharField(max_length=400, allow_blank=True, trim_whitespace=False))  # type: ignore[assignment]
    url = serializers.URLField(max_length=MOST, required=False)
    client_msg_id = serializers.RegexField(
        r"^[\x21-\x7e]{1,64}$",
        required=False,
        help_text=_("Your own number of this message: sent again with it, it is not sent twice."),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        whom = [name for name in ("openid", "tag", "orderid") if name in attrs]
        if len(whom) != 1:
            raise ValidationError({"openid": [_("Give exactly one of openid, tag and orderid.")]})
        account = attrs.get("account") or only_account()
        template = MessageTemplate.objects.filter(
            account=account, template_id=attrs["template_id"], gone_at=None
        ).first()
        if template is None:
            raise ValidationError({"template_id": [_("The account has no such template. Synchronise them first.")]})
        notice = template.kind == MessageTemplate.Kind.SUBSCRIPTION
        if wrong := templating.check(templating.fields_of(template.content), attrs["data"], notice=notice):
            raise ValidationError({"data": {key: [why] for key, why in wrong.items()}})
        return {**attrs, "account": account, "template": template, "spec": _spec(account, attrs, whom[0])}


def _spec(account: Account, attrs: dict[str, Any], whom: str) -> dict[str, Any]:
    """The audience of a job; for one person nothing."""
    if whom == "openid":
        return {}
    if whom == "tag":
        tag = Tag.objects.filter(account=account, name=attrs["tag"]).first()
        if tag is None:
            raise ValidationError({"tag": [_("The account has no such tag.")]})
        return {"kind": "tag", "tag": tag.pk}
    spec = {"kind": "order", "about": str(attrs["orderid"])}
    if not jobs.people_of(account.pk, spec).exists():
        raise ValidationError({"orderid": [_("Nobody who follows has scanned this quote.")]})
    return spec


class SentSerializer(serializers.Serializer[Any]):
    """What became of it: a message, or a job of many. `repeated`: it had been asked for before, and nothing new was sent."""

    message = serializers.IntegerField(allow_null=True)
    job = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(allow_null=True, help_text=_("Null: removed since."))
    delivery = serializers.CharField(allow_blank=True)
    total = serializers.IntegerField()
    repeated = serializers.BooleanField()
    warnings = serializers.ListField(child=serializers.CharField())


class SendTemplate(APIView):
    """Send a template message. It goes into the queue; ask again with the same client_msg_id to see what became of it."""

    permission_classes = [scope(SCOPE)]
    parser_classes = [BoundedJSON]

    @extend_schema(request=SendSerializer, responses={200: SentSerializer, 202: SentSerializer})
    def post(self, request: Request) -> Response:
        serializer = SendSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        key = cast("ApiKey", ApiKey.objects.get_from_key(HasKey().get_key(request) or ""))
        asked, sent = _once(key, serializer.validated_data, _digest(request.data))
        code = status.HTTP_200_OK if asked else status.HTTP_202_ACCEPTED
        told = templating.warnings(
            templating.fields_of(serializer.validated_data["template"].content), serializer.validated_data["data"]
        )
        return Response(SentSerializer({**_shown(sent), "repeated": asked, "warnings": told}).data, code)


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _once(key: ApiKey, asked: dict[str, Any], digest: str) -> tuple[bool, SendRequest]:
    """Send it, unless this key asked for it before. Whether it did, and what was sent."""
    number = asked.get("client_msg_id")
    if number is None:
        return False, _send(asked, SendRequest(key=key, digest=digest))
    try:
        with transaction.atomic():
            made = SendRequest.objects.create(key=key, client_msg_id=number, digest=digest, created_at=timezone.now())
            _send(asked, made).save(update_fields=["message_id", "job_id"])
            return False, made
    except IntegrityError:
        before = SendRequest.objects.filter(key=key, client_msg_id=number).first()
        if before is None:  # it was about something else
            raise
    if before.digest != digest:
        raise ValidationError({"client_msg_id": [_("This number was used for another message.")]})
    return True, before


def _send(asked: dict[str, Any], request: SendRequest) -> SendRequest:
    template, spec = asked["template"], asked["spec"]
    content = jobs.content_of(template, asked["data"], url=asked.get("url", ""))
    if spec:
        request.job_id = jobs.start(template, content, spec, name=f"REST · {template.title}").pk
    else:
        about = asked.get("client_msg_id", "")
        request.message_id = jobs.send_one(template, asked["openid"], content, about=about).pk
    return request


def _shown(sent: SendRequest) -> dict[str, Any]:
    message = OutgoingMessage.objects.filter(pk=sent.message_id or 0).first()
    job = SendJob.objects.filter(pk=sent.job_id or 0).first()
    return {
        "message": sent.message_id,
        "job": sent.job_id,
        "state": message.state if message else job.state if job else None,
        "delivery": message.delivery if message else "",
        "total": job.total if job else 1,
    }


class FieldSerializer(serializers.Serializer[Any]):
    """One field of a template."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()
    rule = serializers.CharField()
    most = serializers.IntegerField(help_text=_("characters"))


class TemplateSerializer(serializers.Serializer[Any]):
    """A template that can be sent, with what it asks for."""

    template_id = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    account = serializers.CharField(source="account.slug")
    data = FieldSerializer(  # type: ignore[assignment]
        many=True, source="parts", help_text=_("What `data` must have, exactly.")
    )


class ListTemplates(APIView):
    """The templates that can be sent, as the last synchronisation found them."""

    permission_classes = [scope(SCOPE)]

    @extend_schema(responses=TemplateSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = list(MessageTemplate.objects.filter(gone_at=None).select_related("account"))
        for row in rows:
            parts = templating.fields_of(row.content, row.example)
            row.parts = [part for part in parts if not part.dropped]  # type: ignore[attr-defined]
        return Response(TemplateSerializer(rows, many=True).data)


urlpatterns = [
    path("templates/", ListTemplates.as_view(), name="api-templates"),
    path("templates/send/", SendTemplate.as_view(), name="api-templates-send"),
]
