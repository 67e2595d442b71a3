"""Who may operate: ban, lift, import, look."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate

from bans.ledger import Refused
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from shield.feeds import Unfit

from .problems import problem


def is_staff(request: HttpRequest) -> bool:
    """Whether the request holds the STAFF_TOKEN; without one in the settings, none does."""
    expected = settings.STAFF_TOKEN
    return bool(expected) and constant_time_compare(bearer(request.headers), expected)


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token that is shown; the case of the scheme says nothing (RFC 9110, section 11.1)."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def for_staff[**P](
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Let staff alone in, and say why something is not done, or that the database is away."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not is_staff(request):
            return problem(403, "Only for staff")
        try:
            return view(request, *args, **kwargs)
        except Refused as error:
            return problem(409, str(error))
        except Unfit as error:
            return problem(422, str(error))
        except (OperationalError, InterfaceError):
            return problem(503, "The list cannot be changed: PostgreSQL does not answer")

    return guarded
