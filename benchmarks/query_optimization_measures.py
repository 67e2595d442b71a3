"""What is measured of a list, and how: whole requests through Django, one of them beside plain SQL."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

import django
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

VARIANTS = ("naive", "optimized")
LEAST, MOST_SECONDS = 30, 1.0  # requests of each list and variant, at least and in about
ROUNDS = 200
BOARD = "origin=JFK&day=2013-07-01"
# A page near the end, as each variant reaches it.
DEEP = 0.9

BY_HAND = """
SELECT
    f.airline_id || ' ' || f.number,
    to_char(f.scheduled_departure AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
    a.name, d.code, d.name, p.tail_number, p.model, p.seats
FROM flights_flight AS f
JOIN flights_airline AS a ON a.code = f.airline_id
JOIN flights_airport AS d ON d.code = f.destination_id
LEFT JOIN flights_plane AS p ON p.tail_number = f.plane_id
WHERE f.origin_id = %s AND f.scheduled_departure >= %s AND f.scheduled_departure < %s
ORDER BY f.scheduled_departure, f.id
LIMIT %s
"""


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ.setdefault("SECRET_KEY", "benchmark " * 5)
    django.setup()
    application = get_wsgi_application()
    add_hand_written()
    paths = dict(examples())
    figures = {
        name: {variant: rate(application, both[variant]) for variant in VARIANTS}
        for name, both in paths.items()
    }
    json.dump(
        {"lists": figures, "board_beside_hand_written": beside_hand_written(application)},
        sys.stdout,
    )


def examples() -> Any:
    """Yield each list with the path of each variant; the pages twice, the second time near the end."""
    from flights.lists import LISTS
    from flights.models import Flight

    for each in LISTS:
        yield (
            each.name,
            {name: f"/api/{name}/{each.name}/?{each.example}" for name in VARIANTS},
        )
    rows = Flight.objects.count()
    skipped = int(rows * DEEP)
    moment = Flight.objects.order_by("-scheduled_departure", "-id")[skipped].scheduled_departure
    yield (
        "pages at 90 %",
        {
            "naive": f"/api/naive/pages/?number={skipped // 20 + 1}",
            "optimized": f"/api/optimized/pages/?before={moment:%Y-%m-%dT%H:%M:%SZ}",
        },
    )


def rate(application: Callable[..., Any], path: str) -> tuple[float, float]:
    """Return requests per second, and the milliseconds that 99 of 100 take at most."""
    environ = RequestFactory(HTTP_HOST="localhost").get(path).environ
    request(application, environ)  # connects, and reads into memory
    taken: list[float] = []
    while len(taken) < LEAST or sum(taken) < MOST_SECONDS:
        taken.append(timed(application, environ))
    return len(taken) / sum(taken), sorted(taken)[int(len(taken) * 0.99)] * 1e3


def request(application: Callable[..., Any], environ: Mapping[str, Any]) -> bytes:
    statuses: list[str] = []
    answer = application({**environ}, lambda status, _: statuses.append(status))
    body = b"".join(answer)
    answer.close()
    if not statuses[0].startswith("200"):
        raise RuntimeError(f"{environ['PATH_INFO']} was answered with {statuses[0]}")
    return body


def beside_hand_written(application: Callable[..., Any]) -> float:
    """Return the time of the board as a multiple of the same request answered by hand-written SQL."""
    environs = [
        RequestFactory(HTTP_HOST="localhost").get(f"/api/{name}/board/?{BOARD}").environ
        for name in ("optimized", "by_hand")
    ]
    answers = [request(application, environ) for environ in environs]
    if answers[0] != answers[1]:
        raise RuntimeError("the hand-written board answers something else")
    ratios = []
    for _ in range(ROUNDS):  # in turn, so that neither has the quiet moments
        ours, theirs = (timed(application, environ) for environ in environs)
        ratios.append(ours / theirs)
    return median(ratios)


def timed(application: Callable[..., Any], environ: Mapping[str, Any]) -> float:
    started = time.perf_counter()
    request(application, environ)
    return time.perf_counter() - started


def add_hand_written() -> None:
    """Serve it at a path beside those of the variants: through the same view, checks and all."""
    from config.urls import urlpatterns
    from django.urls import path
    from flights.lists import LISTS
    from flights.variants import VARIANTS
    from flights.views import ListView

    board = next(each for each in LISTS if each.name == "board")
    by_hand = replace(board, answer=hand_written)
    view = ListView.as_view(list=by_hand, queries=VARIANTS[-1].queries)
    urlpatterns.insert(0, path("api/by_hand/board/", view))


def hand_written(_queries: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the board through psycopg, on a connection of the same pool."""
    from datetime import UTC, datetime, timedelta
    from datetime import time as moment

    from django.db import connections

    midnight = datetime.combine(asked["day"], moment(), UTC)
    bounds = midnight, midnight + timedelta(days=1)
    connections["pooled"].ensure_connection()
    driver: Any = connections["pooled"].connection
    with driver.cursor() as cursor:
        rows = cursor.execute(BY_HAND, [asked["origin"], *bounds, asked["limit"]]).fetchall()
    return {
        "departures": [
            {
                "flight": flight,
                "scheduled_departure": departure,
                "airline": airline,
                "destination": {"code": code, "name": name},
                "plane": tail and {"model": model, "seats": seats},
            }
            for flight, departure, airline, code, name, tail, model, seats in rows
        ]
    }


if __name__ == "__main__":
    main()
