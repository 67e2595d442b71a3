"""What the jobs of all variants do: compute a report, store it; and the drills that make them fail."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from jobs.runs import Transient

from .models import Flight, Report
from .ontime import RESAMPLES, OnTime, report


def compute(arguments: Mapping[str, Any], progress: Callable[[float], None]) -> OnTime:
    """Return the report that *arguments* ask for.

    Raises:
        Transient: the drill says so.
    """
    drill(arguments.get("drill") or {}, progress)
    delays = Flight.objects.filter(airline=arguments["airline"], month=arguments["month"])
    return report(
        list(delays.order_by("id").values_list("day", "arrival_delay")),
        arguments.get("resamples", RESAMPLES),
        progress,
    )


def store(job: UUID | str, arguments: Mapping[str, Any], made: OnTime, lost: int = 0) -> None:
    """Write the report down: the effect of the job."""
    Report.objects.create(
        job_id=job,
        airline=arguments["airline"],
        month=arguments["month"],
        flights=made.flights,
        on_time=made.on_time,
        low=made.low,
        high=made.high,
        lost=lost,
        csv=made.csv,
        svg=made.svg,
    )


def drill(asked: Mapping[str, Any], progress: Callable[[float], None]) -> None:
    """Be slow, or fail, as an operator has asked: what the experiments practise."""
    seconds = float(asked.get("seconds", 0))
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        progress(0.9 * (1 - left / seconds))
        time.sleep(min(left, 0.2))
    match asked.get("fault"):
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "transient":
            raise Transient("the drill's upstream answers 503")
        case "permanent":
            raise ValueError("the drill's upstream answers 400")
