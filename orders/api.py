"""The REST interface: the firm's website creates quotes and follows them. All DRF code of this room is here.

Keys go in the header `Authorization: Api-Key …` and carry scopes. Errors are JSON, field by field.
"""

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.db import IntegrityError
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders.making import make_order
from orders.models import ORDERID_MAX, Order, OrderItem
from orders.progress import Progress, progress_of
from orders.views.quotes import absolute
from wechat.api import BoundedJSON, Strict, only_account, scope
from wechat.models import Account, ChannelCode

ITEMS_MAX = 200
STATES = ("waiting", "scanned", "follow", "sent", "owed", "failed", "expired")
REASONS = ("refused", "unsure", "ours")
ANSWER_ONLY = ("market_money", "progress", "created_at", "page_url", "qr_url", "qr_png_url", "status_url")


class ItemSerializer(Strict, serializers.ModelSerializer[OrderItem]):
    """One line of a quote."""

    class Meta:
        model = OrderItem
        fields = ("name", "note", "quantity", "unit", "amount")


class ProgressSerializer(serializers.Serializer[Progress]):
    """How far the quote is on its way to the visitor's WeChat."""

    state = serializers.ChoiceField(STATES)
    expires_in = serializers.IntegerField(help_text="s")
    reason = serializers.ChoiceField(REASONS, required=False, help_text=_("Why it failed; there only then."))


class Link(serializers.URLField):
    """The whole address of one of the quote's pages."""

    def __init__(self, view: str) -> None:
        super().__init__(source="key", read_only=True)
        self.view = view

    def to_representation(self, value: str) -> str:
        return absolute(reverse(self.view, args=[value]))


class Scene(serializers.CharField):
    """A channel code, named by its scene."""

    def to_representation(self, value: ChannelCode) -> str:  # type: ignore[override]  # the stubs know texts only
        return value.scene


class QuoteSerializer(Strict, serializers.ModelSerializer[Order]):
    """A quote as the firm's website sends it and reads it."""

    orderid = serializers.IntegerField(
        min_value=1,
        max_value=ORDERID_MAX,
        required=False,
        help_text=_("The firm's own number, taken once; it is the scene of the code. Left out: we choose one."),
    )
    room_area = serializers.DecimalField(max_digits=9, decimal_places=2, min_value=0, help_text="㎡")
    total_money = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=0, help_text=_("yuan"))
    saved_money = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=0, help_text=_("yuan"))
    items = ItemSerializer(many=True, required=False, max_length=ITEMS_MAX)  # type: ignore[call-arg]
    account = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Account.objects.all(),
        required=False,
        help_text=_("Short name of the account; needed if there is more than one."),
    )
    source = Scene(  # type: ignore[assignment]  # a field of this name, beside the base class's own attribute
        max_length=64,
        required=False,
        allow_null=True,
        help_text=_("Scene of the channel code that brought the visitor; one of the same account."),
    )
    market_money = serializers.DecimalField(max_digits=15, decimal_places=2, read_only=True, help_text=_("yuan"))
    progress = serializers.SerializerMethodField()
    page_url, qr_url, qr_png_url = Link("quote"), Link("quote-svg"), Link("quote-png")
    status_url = Link("quote-status")

    class Meta:
        model = Order
        fields = (
            *("orderid", "room_area", "total_money", "saved_money", "customer", "valid_until", "items", "account"),
            *("source", *ANSWER_ONLY),
        )

    def validate_orderid(self, value: int) -> int:
        if Order.objects.filter(orderid=value).exists():
            raise ValidationError(_("This order number is taken already."))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "account" not in attrs:
            attrs["account"] = only_account()
        if attrs.get("source") is not None:
            attrs["source"] = self._code(attrs["account"], attrs["source"])
        return attrs

    def _code(self, account: Account, scene: str) -> ChannelCode:
        code = ChannelCode.objects.filter(account=account, scene=scene).first()
        if code is None:
            raise ValidationError({"source": [_("This account has no channel code with that scene.")]})
        return code

    def create(self, validated_data: dict[str, Any]) -> Order:
        try:
            return make_order(validated_data.pop("items", []), **validated_data)
        except IntegrityError:  # somebody else took the number since we looked
            raise ValidationError({"orderid": [_("This order number is taken already.")]}) from None

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, order: Order) -> dict[str, Any] | None:
        progress = progress_of(order.key)
        return progress.as_json() if progress else None


class Quotes(APIView):
    """Create a quote; the answer holds the address of its page and of its QR code."""

    permission_classes = [scope("quotes:write")]
    parser_classes = [BoundedJSON]

    @extend_schema(request=QuoteSerializer, responses={201: QuoteSerializer})
    def post(self, request: Request) -> Response:
        serializer = QuoteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data, status=status.HTTP_201_CREATED)


class Quote(APIView):
    """Read a quote by its order number."""

    permission_classes = [scope("quotes:read")]

    @extend_schema(responses=QuoteSerializer)
    def get(self, request: Request, orderid: int) -> Response:
        order = get_object_or_404(Order.objects.prefetch_related("items"), orderid=min(orderid, ORDERID_MAX + 1))
        return Response(QuoteSerializer(order).data)


# The documentation's own page comes from the sidecar package and sets styles in its elements.
docs = csp_update({"style-src": [SELF, UNSAFE_INLINE], "img-src": [SELF, "data:"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema", http_method_names=["get", "head"])
)

urlpatterns = [
    path("quotes/", Quotes.as_view(), name="api-quotes"),
    path("quotes/<int:orderid>/", Quote.as_view(), name="api-quote"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", docs, name="api-docs"),
]
