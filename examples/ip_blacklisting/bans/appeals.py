"""A refused client says why that is wrong, by its reference and from any address; staff decides."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bans import ledger, wiring
from bans.ledger import Actor
from bans.models import Appeal, Ban
from bans.permissions import IsStaff
from bans.throttles import AppealsThrottle


class AppealShape(serializers.Serializer[Any]):
    reference = serializers.CharField(max_length=13, help_text="as the refusal named it")
    text = serializers.CharField(max_length=1_000)


class DecisionShape(serializers.Serializer[Any]):
    granted = serializers.BooleanField()


class Appeals(APIView):
    """Open to those who are refused everything else."""

    serializer_class = AppealShape

    def get_throttles(self) -> list[Any]:
        return [AppealsThrottle()] if self.request.method == "POST" else []

    def get_permissions(self) -> list[Any]:
        return [] if self.request.method == "POST" else [IsStaff()]

    def post(self, request: Request) -> Response:
        shape = AppealShape(data=request.data)
        shape.is_valid(raise_exception=True)
        found = wiring.ban_of(shape.validated_data["reference"])
        ban = Ban.objects.filter(pk=found, lifted=None).first() if found and found < 2**63 else None
        if ban is None:
            raise NotFound("No ban has this reference.")
        appeal = Appeal.objects.create(ban=ban, text=shape.validated_data["text"])
        return Response({"appeal": appeal.pk}, status=201)

    def get(self, _request: Request) -> Response:
        waiting = Appeal.objects.filter(granted=None).select_related("ban").order_by("pk")[:100]
        return Response(
            {
                "appeals": [
                    {
                        "appeal": each.pk,
                        "at": each.at,
                        "text": each.text,
                        "network": each.ban.network,
                        "reason": each.ban.reason,
                        "evidence": each.ban.evidence,
                    }
                    for each in waiting
                ]
            }
        )


class Decision(APIView):
    """To grant an appeal lifts its ban."""

    permission_classes = (IsStaff,)
    serializer_class = DecisionShape

    @extend_schema(operation_id="appeals_decide")
    def post(self, request: Request, appeal: int) -> Response:
        shape = DecisionShape(data=request.data)
        shape.is_valid(raise_exception=True)
        found = Appeal.objects.filter(pk=appeal).first()
        if found is None:
            raise NotFound("There is no such appeal.")
        found.granted = shape.validated_data["granted"]
        found.save()
        if found.granted:
            ledger.lift([found.ban_id], Actor("appeal"))
        return Response({"granted": found.granted})
