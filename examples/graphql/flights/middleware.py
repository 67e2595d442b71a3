"""Staff are told in the answer what it cost: statements, buffers and processor time (Server-Timing, W3C)."""

import re
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .permissions import is_staff

QUERY = re.compile(r"(--.*\n)*SELECT ")


class Cost:
    """Counts the statements of a request, and the pages of 8 kB that its queries read."""

    def __init__(self) -> None:
        self.statements = 0
        self.buffers = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.statements += 1
        if QUERY.match(sql):
            raw = context["cursor"].cursor
            raw.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            (said,) = raw.fetchone()
            root = said[0]["Plan"]
            self.buffers += root["Shared Hit Blocks"] + root["Shared Read Blocks"]
        return execute(sql, params, many, context)


class TellCost:
    """Middleware: a stranger is told nothing, for what a query costs says where to hit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_staff(request.headers):
            return self.get_response(request)
        cost, began = Cost(), time.process_time()
        with connection.execute_wrapper(cost):
            answer = self.get_response(request)
        cpu = (time.process_time() - began) * 1_000
        answer["Server-Timing"] = (
            f'statements;desc="{cost.statements}", buffers;desc="{cost.buffers}", cpu;dur={cpu:.1f}'
        )
        return answer
