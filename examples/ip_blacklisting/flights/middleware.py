"""Puts the guard of its variant before each request, and says in the answer what that cost.

Server-Timing: https://www.w3.org/TR/server-timing/
"""

import os
from collections.abc import Callable
from functools import cache
from time import perf_counter_ns, thread_time_ns
from typing import Any, Final

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .variants import VARIANTS

PROCESS: Final = cache(lambda: f"{os.uname().nodename}:{os.getpid()}")  # after the fork
UNGUARDED = ("bans", "feeds", "matches", "state")  # for operators, whose own network may be banned


class GuardMiddleware:
    """Knows the variants by the second part of the path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name, view = [*request.path.split("/"), "", "", ""][2:4]
        variant = VARIANTS.get(name)
        if variant is None or view in UNGUARDED:
            return self.get_response(request)
        queries = []

        def counting(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
            queries.append(sql)
            return execute(sql, *args)

        with connection.execute_wrapper(counting):
            started, begun = perf_counter_ns(), thread_time_ns()
            answer = variant.guard.refusal(request)
            cpu_ms = (thread_time_ns() - begun) / 1e6  # without waiting for other threads
            guard_ms = (perf_counter_ns() - started) / 1e6
        if answer is None:
            answer = self.get_response(request)
        answer["Server-Timing"] = (
            f'guard;dur={guard_ms:.4f}, cpu;dur={cpu_ms:.4f}, sql;desc="{len(queries)}"'
        )
        answer["Served-By"] = PROCESS()
        return answer
