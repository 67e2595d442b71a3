"""The limiter as a decorator of one view."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from . import configured
from .answers import annotate, refuse
from .charge import acharge, charge

type View = Callable[..., Any]


def limited(rules: str) -> Callable[[View], View]:
    """Limit a view, sync or async, by a rule set.

    It decorates what a URL points at: a function, or the result of ``as_view()``.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def sync_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            decision = charge(request, rules)
            policies = configured.rule_sets()[rules]
            if not decision.allowed:
                return refuse(policies, decision)
            answer: HttpResponseBase = view(request, *args, **kwargs)
            annotate(answer, policies, decision)
            return answer

        @wraps(view)
        async def async_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            decision = await acharge(request, rules)
            policies = configured.rule_sets()[rules]
            if not decision.allowed:
                return refuse(policies, decision)
            answer: HttpResponseBase = await view(request, *args, **kwargs)
            annotate(answer, policies, decision)
            return answer

        return async_view if iscoroutinefunction(view) else sync_view

    return decorate
