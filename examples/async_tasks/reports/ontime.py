"""The on-time report of an airline and month: a day's share of punctual flights, and how sure the month's is.

On time: arrived less than 15 minutes late (US Department of Transportation, Air Travel Consumer Report).
B. Efron, Bootstrap Methods: Another Look at the Jackknife (1979): the interval, which is what takes its time.
"""

import csv
import io
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

LATE_MINUTES: Final = 15
RESAMPLES: Final = 20


@dataclass(frozen=True, slots=True)
class OnTime:
    """A report before it is stored; shares between 0 and 1."""

    flights: int
    on_time: float | None  # None: there were no flights
    low: float | None
    high: float | None
    csv: str
    svg: str


def report(
    delays: Sequence[tuple[int, int | None]],
    resamples: int,
    progress: Callable[[float], None] = lambda _: None,
) -> OnTime:
    """Compute the report of (day, arrival delay in minutes, None if cancelled); *progress* is told shares."""
    punctual = [minutes is not None and minutes < LATE_MINUTES for _, minutes in delays]
    draw = random.Random(len(delays))  # noqa: S311 -- the same flights, the same interval
    shares = []
    for number in range(resamples if punctual else 0):
        shares.append(sum(draw.choices(punctual, k=len(punctual))) / len(punctual))
        progress((number + 1) / resamples)
    shares.sort()
    days: dict[int, list[bool]] = defaultdict(list)
    for (day, _), good in zip(delays, punctual, strict=True):
        days[day].append(good)
    by_day = [(day, len(good), sum(good) / len(good)) for day, good in sorted(days.items())]
    share = sum(punctual) / len(punctual) if punctual else None
    return OnTime(
        flights=len(delays),
        on_time=share,
        low=shares[int(0.025 * resamples)] if shares else share,
        high=shares[int(0.975 * resamples)] if shares else share,
        csv=as_csv(by_day),
        svg=as_svg(by_day),
    )


def summary(airlines: Sequence[tuple[str, int, float | None]]) -> OnTime:
    """Return the report of several airlines, each given by code, flights and share on time."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["airline", "flights", "on_time"])
    for code, flights, share in airlines:
        lines.writerow([code, flights, "" if share is None else f"{share:.4f}"])
    total = sum(flights for _, flights, _ in airlines)
    punctual = sum(flights * (share or 0) for _, flights, share in airlines)
    bars = [(number, flights, share or 0) for number, (_, flights, share) in enumerate(airlines, 1)]
    on_time = punctual / total if total else None
    return OnTime(total, on_time, None, None, text.getvalue(), as_svg(bars))


def as_csv(days: Sequence[tuple[int, int, float]]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["day", "flights", "on_time"])
    lines.writerows([day, flights, f"{share:.4f}"] for day, flights, share in days)
    return text.getvalue()


def as_svg(days: Sequence[tuple[int, int, float]]) -> str:
    """Draw a bar a day, as high as its share."""
    bars = "".join(
        f'<rect x="{10 * day}" y="{100 - 100 * share:.1f}" width="8" height="{100 * share:.1f}">'
        f"<title>{day}: {share:.0%} of {flights}</title></rect>"
        for day, flights, share in days
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 330 100" role="img" fill="#4269d0">'
        f"<title>Share of flights on time</title>{bars}</svg>"
    )
