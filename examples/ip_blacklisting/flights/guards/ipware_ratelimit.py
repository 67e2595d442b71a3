"""django-ipware says who it is, django-ratelimit how often; both as their documentation sets them up.

https://github.com/un33k/django-ipware, https://django-ratelimit.readthedocs.io/en/stable/usage.html
"""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_ratelimit.core import is_ratelimited
from ipware import get_client_ip

from . import forbidden
from .leftmost import Leftmost

RATE = "60/m"


def ipware_key(_group: str, request: HttpRequest) -> str:
    return str(get_client_ip(request)[0])


class IpwareRatelimit(Leftmost):
    """60 requests a minute for what django-ipware calls the client, and a row for who is banned."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        if self.blocked(ipware_key("", request)):
            return forbidden()
        limited = cast(
            bool,
            is_ratelimited(request, group="flights", key=ipware_key, rate=RATE, increment=True),
        )
        return HttpResponse("Too many requests", status=429) if limited else None
