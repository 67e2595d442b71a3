"""Who sends a request: the owner of an API key, else the user, else the client's address."""

from django.conf import settings
from django.http import HttpRequest

from . import api_keys
from .identity import address_of


def client_of(request: HttpRequest) -> str:
    """Return who is charged for a request; the kinds of names never collide."""
    key = request.META.get("HTTP_X_API_KEY")  # request.headers would parse all of them
    if key and (owner := api_keys.owner(key)):
        return f"key:{owner}"
    user = getattr(request, "user", None)  # only behind an authentication middleware
    if user is not None and user.is_authenticated:
        return f"user:{user.pk}"
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    address = address_of(peer, forwarded_for, settings.TRUSTED_PROXIES, settings.IPV6_PREFIX)
    return f"address:{address}"
