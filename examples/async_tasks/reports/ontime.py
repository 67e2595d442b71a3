"""The on-time report of an airline and month (US Department of Transportation, Air Travel Report)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from .models import Day, Report


def report(arguments: Mapping[str, Any]) -> Report:
    """Return the report of an airline and month; it is not stored."""
    days = list(
        Day.objects.filter(airline=arguments["airline"], month=arguments["month"]).order_by("day")
    )
    lines = [f"{each.day},{each.flights},{each.on_time}\n" for each in days]
    return Report(
        airline=arguments["airline"],
        month=arguments["month"],
        flights=sum(each.flights for each in days),
        on_time=sum(each.on_time for each in days),
        csv="".join(["day,flights,on_time\n", *lines]),
    )


def store(made: Report, job: UUID | str) -> None:
    """Write the report down: the effect of the job."""
    made.job_id = UUID(str(job))
    made.save(force_insert=True)
