"""Your own detector. It begins as `thresholds`: so many requests, so many wrong passwords, or one trap.

Win `harmless-requests-buy-nothing` first, in `observe`: it gets one request, and returns whom to refuse.
Then go on with `asked`, `path` and `pipeline`. All of `detector/` and `kept/` is at hand.
"""

from collections import Counter

from detector.fetch_metadata import Asked
from detector.sightings import Sighting, Verdict
from django.http import HttpRequest
from flights import thresholds
from kept.keeper import Pipeline

REQUESTS, FAILURES, WINDOW_SECONDS = 30, 5, 10


class Rule:
    def __init__(self) -> None:
        self.counts = Counter[tuple[str, str, int]]()

    def observe(self, seen: Sighting) -> list[Verdict]:
        who, window = seen.client, int(seen.seconds // WINDOW_SECONDS)
        self.counts["requests", who, window] += 1
        self.counts["failures", who, window] += seen.kind == "login failed"
        many = self.counts["requests", who, window] > REQUESTS
        wrong = self.counts["failures", who, window] > FAILURES
        return [Verdict(who, "all", "too many")] if many or wrong or seen.kind == "trap" else []


def asked(_request: HttpRequest) -> Asked:  # by whom, see detector/fetch_metadata.py
    return "by a program"


def path(request: HttpRequest) -> str:  # what is noted of its address
    return f"{request.path}?{request.META['QUERY_STRING']}"


def pipeline() -> Pipeline:
    return Pipeline(Rule(), thresholds.keep, thresholds.found, deletes_first=True)
