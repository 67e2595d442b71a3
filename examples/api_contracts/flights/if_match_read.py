"""`generated`, with a version that is compared before it is saved: two at once both see the old one."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from . import generated


class Flights(generated.Flights):
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().retrieve(request, *args, **kwargs)
        answer["ETag"] = f'"{self.get_object().version}"'
        return answer

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if request.headers.get("If-Match") != f'"{self.get_object().version}"':
            return Response({"detail": "The flight has changed since"}, status=412)
        return super().partial_update(request, *args, **kwargs)

    def perform_update(self, serializer: Any) -> None:
        serializer.save(version=serializer.instance.version + 1)


urlpatterns = generated.routes(Flights)
