"""The token hub by REST (wechat.hub): GET /api/token/ gives the access token, POST /api/token/renew/ has it renewed."""

from typing import Any, cast

from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wechat import conf, hub
from wechat.api import BoundedJSON, HasKey, Strict, only_account, scope
from wechat.conf import AccountConfig
from wechat.errors import CallFailed
from wechat.explanations import explain_error
from wechat.hub import TooOften
from wechat.models import Account, ApiKey


class WhichSerializer(Strict, serializers.Serializer[Any]):
    """Whose token."""

    account = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Account.objects.all(),
        required=False,
        help_text=gettext_lazy("Short name of the account; needed if there is more than one."),
    )


class TokenSerializer(serializers.Serializer[Any]):
    """The token. Ask again when `expires_in` is over; do not fetch one yourself: it would end this one."""

    access_token = serializers.CharField()
    expires_in = serializers.IntegerField(help_text=gettext_lazy("Seconds."))
    fetched_at = serializers.DateTimeField()


class ErrorSerializer(serializers.Serializer[Any]):
    """Why there is none."""

    detail = serializers.CharField()
    explanation = serializers.DictField(required=False)
    retry_after = serializers.IntegerField(required=False, help_text=gettext_lazy("Seconds."))


WHICH = OpenApiParameter("account", str, description=str(WhichSerializer().fields["account"].help_text))
ANSWERS: Any = {
    200: TokenSerializer,
    429: OpenApiResponse(ErrorSerializer, "Renewed too often."),
    502: OpenApiResponse(ErrorSerializer, "WeChat gave none."),
}


class HubView(APIView):
    """What both calls share: the scope, whose key it is, and that no answer is ever kept."""

    permission_classes = [scope("token")]
    parser_classes = [BoundedJSON]

    def finalize_response(self, request: Any, response: Any, *arguments: Any, **options: Any) -> Any:
        answer = super().finalize_response(request, response, *arguments, **options)
        answer["Cache-Control"] = "no-store"
        return answer

    def account(self, data: Any) -> AccountConfig:
        """The account that is asked for."""
        which = WhichSerializer(data=data)
        which.is_valid(raise_exception=True)
        return conf.account_by_id((which.validated_data.get("account") or only_account()).pk)

    def key(self, request: Request) -> ApiKey:
        """Whose request it is."""
        return cast("ApiKey", ApiKey.objects.get_from_key(HasKey().get_key(request) or ""))


class CurrentToken(HubView):
    """The account's access token, for the firm's other programs. It is fetched and renewed here alone."""

    @extend_schema(parameters=[WHICH], responses={code: ANSWERS[code] for code in (200, 502)})
    def get(self, request: Request) -> Response:
        try:
            given = hub.current(self.account(request.query_params.dict()), self.key(request))
        except CallFailed as error:
            return _failed(error)
        return Response(TokenSerializer(given).data)


class RenewToken(HubView):
    """End the present token and get another: 20 times a day, 30 s apart. Only for a token that became known."""

    @extend_schema(request=WhichSerializer, responses=ANSWERS)
    def post(self, request: Request) -> Response:
        try:
            given = hub.renew(self.account(request.data), self.key(request))
        except TooOften as error:
            return _too_often(error)
        except CallFailed as error:
            return _failed(error)
        return Response(TokenSerializer(given).data)


def _failed(error: CallFailed) -> Response:
    explained = explain_error(error)
    return Response({"detail": explained.text(), "explanation": explained.document()}, status=502)


def _too_often(error: TooOften) -> Response:
    if error.of_today:
        detail = _("It was renewed 20 times today; WeChat takes no more before midnight in Beijing.")
    else:
        detail = _("It was renewed a moment ago: read the new one with GET /api/token/.")
    content = {"detail": detail, "retry_after": error.seconds}
    return Response(content, status=429, headers={"Retry-After": str(error.seconds)})


urlpatterns = [
    path("token/", CurrentToken.as_view(), name="api-token"),
    path("token/renew/", RenewToken.as_view(), name="api-token-renew"),
]
