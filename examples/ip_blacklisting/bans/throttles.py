"""How often a client may ask, and who that is: told apart as the list tells clients apart."""

from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView
from shield.addresses import account

from bans import wiring


class ClientThrottle(SimpleRateThrottle):
    """So many requests for each client, counted in Redis; its rate is in the settings, under `scope`."""

    def get_cache_key(self, request: HttpRequest, view: APIView) -> str | None:
        del view
        client = wiring.client_of(request.META)
        return self.cache_format % {
            "scope": self.scope,
            "ident": account(client) if client else "-",
        }

    def allow_request(self, request: Request, view: APIView) -> bool:
        try:
            return bool(super().allow_request(request, view))
        except RedisError:  # somebody has to be banned while Redis is gone, too
            return True


class AppealsThrottle(ClientThrottle):
    scope = "appeals"


class BansThrottle(ClientThrottle):
    scope = "bans"


class ChangesThrottle(ClientThrottle):
    scope = "changes"
