"""The list over HTTP, for staff: who is banned, banning, lifting, and who changed what."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import APIException
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from shield.addresses import account, meant, parse_address

from bans import ledger, wiring
from bans.ledger import Actor, Refused
from bans.models import Ban, Change
from bans.permissions import IsStaff
from bans.throttles import BansThrottle, ChangesThrottle

NETWORK = OpenApiParameter("network", description="a CIDR, or an address")


class Harmful(APIException):
    """The ban would hurt those who must not be banned."""

    status_code = 409


class NewestFirst(CursorPagination):
    page_size = 100
    ordering = "-pk"


class NetworkField(serializers.CharField):
    """A CIDR or an address in; a CIDR out. Of an address of IPv6 it is the /64."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return str(meant(super().to_internal_value(data)))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class AddressField(serializers.CharField):
    """An address in any notation."""

    def to_internal_value(self, data: Any) -> str:
        address = parse_address(super().to_internal_value(data))
        if address is None:
            raise serializers.ValidationError(f"{data[:80]!r} is no address")
        return str(address)


class BanShape(serializers.ModelSerializer[Ban]):
    network = NetworkField(max_length=60)
    reason = serializers.CharField(max_length=200, default="operator")

    class Meta:
        model = Ban
        fields = (
            *("id", "network", "kind", "scope", "shadow", "reason", "expires"),
            *("source", "evidence", "starts", "lifted"),
        )
        read_only_fields = ("id", "source", "evidence", "starts", "lifted")
        # Not the model's: of many who ask for the same ban at once one makes it, and all get it.
        validators = ()


class BanFilter(serializers.Serializer[Any]):
    """What a list of bans may be narrowed to."""

    address = AddressField(required=False, help_text="bans that contain it")
    kind = serializers.ChoiceField(Ban.Kind.choices, required=False)
    scope = serializers.ChoiceField(Ban.Scope.choices, required=False)
    shadow = serializers.BooleanField(required=False, default=None, allow_null=True)
    source = serializers.CharField(max_length=40, required=False)  # type: ignore[assignment]  # DRF's way
    active = serializers.BooleanField(required=False, default=None, allow_null=True)

    def narrowed(self, bans: "QuerySet[Ban]") -> "QuerySet[Ban]":
        given = {name: value for name, value in self.validated_data.items() if value is not None}
        active = given.pop("active", None)
        if "address" in given:
            given["network__holds"] = given.pop("address")
        bans = bans.filter(**given)
        if active is None:
            return bans
        still = Ban.objects.active()
        return bans.filter(pk__in=still) if active else bans.exclude(pk__in=still)


class ChangeShape(serializers.ModelSerializer[Change]):
    class Meta:
        model = Change
        fields = ("seq", "at", "actor", "before", "after")


class BanList(generics.ListCreateAPIView[Ban]):
    """The list of the solution."""

    queryset = Ban.objects.all()
    serializer_class = BanShape
    pagination_class = NewestFirst
    permission_classes = (IsStaff,)
    throttle_classes = (BansThrottle,)

    def get_queryset(self) -> "QuerySet[Ban]":
        asked = BanFilter(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        return asked.narrowed(super().get_queryset())

    @extend_schema(parameters=[BanFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(responses={201: BanShape, 200: BanShape})
    def post(self, request: Request, *_: Any, **__: Any) -> Response:
        """Ban a network: 201, or 200 with the ban that was there, or 409 if it would hurt."""
        shape = BanShape(data=request.data)
        shape.is_valid(raise_exception=True)
        fields = dict(shape.validated_data)
        network = meant(fields.pop("network"))
        try:
            ban, new = ledger.add(network, actor(request), source="operator", **fields)
        except Refused as error:
            raise Harmful(str(error)) from None
        ban.refresh_from_db()
        return Response(BanShape(ban).data, status=201 if new else 200)

    @extend_schema(parameters=[NETWORK], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Lift the ban of exactly this network, if there is one."""
        given = NetworkField().run_validation(request.query_params.get("network", ""))
        ledger.lift_network(meant(given), actor(request))
        return Response(status=204)


class ChangeList(generics.ListAPIView[Change]):
    """Who changed what, the newest first."""

    queryset = Change.objects.all()
    serializer_class = ChangeShape
    pagination_class = NewestFirst
    permission_classes = (IsStaff,)
    throttle_classes = (ChangesThrottle,)


def actor(request: Request) -> Actor:
    """Return who changes the list over HTTP, and where from."""
    client = wiring.client_of(request.META)
    return Actor("operator", account(client) if client else None)
