"""A hundred editors read the same flight, and each adds a bag to what it has read."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    expect,
    volley,
)

from . import sending, told, url

FLIGHTS = 27_004
RETRIES_AT_ONCE = (
    2  # of those who were refused; a hundred at once would take most of a minute to settle it
)
ATTEMPTS = 200  # of one editor: so many refusals in a row are no bad luck


class NoEditIsLost(Experiment):
    """All read before the first writes, so that whoever is acknowledged first makes the others' version old.

    Who is refused reads again and adds its bag to that.
    """

    slug = "no-edit-is-lost"
    claim = (
        "When 100 editors change one flight at once, every edit that is acknowledged is applied, and each "
        "editor succeeds in the end."
    )
    holds = ("kept",)
    refuted = ("generated", "if_match_read")
    acknowledged = Series("edits")
    refused = Series("edits")
    lost = Series("edits", "acknowledged and lost")
    chart = Chart(lost, "edits acknowledged and lost", x="edits acknowledged", bound=0)
    live = (acknowledged, refused)
    parameters = (Parameter("editors", 100, 24, 200, "editors"),)
    reports = (
        (
            "netbox-community/netbox#12531",
            "two clients at once PATCH different fields of one row: a save of one undoes the other's",
            "an edit is applied, or its client is told to read again",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        flight = url(stack, variant, f"flights/{random.randrange(1000, FLIGHTS)}/")
        editors = int(params["editors"])
        before = bags(flight)
        yield clock_starts()
        read = [expect(each, 200) for each in volley([Request(flight)] * editors)]
        first = [change(flight, answer) for answer in read]
        acknowledged = refused = 0
        for answer in volley(first, processes=4):
            refused += expect(answer, 200, 412).status == 412
        acknowledged = editors - refused
        yield self.refused(refused)
        yield self.lost(acknowledged - (bags(flight) - before), x=acknowledged)
        with ThreadPoolExecutor(RETRIES_AT_ONCE) as pool:
            for done in as_completed(pool.submit(edited, flight) for _ in range(refused)):
                acknowledged += done.result()
                yield self.acknowledged(acknowledged)
        yield self.acknowledged(acknowledged)
        yield self.lost(acknowledged - (bags(flight) - before), x=acknowledged)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        acknowledged = samples.last(self.acknowledged)
        words = f"{{measured}} of {acknowledged:,.0f} acknowledged edits are lost"
        lost = Verdict.at_most(samples.last(self.lost), 0, words)
        words = "{measured} of {bound} editors were acknowledged"
        return lost.provided(Verdict.at_least(acknowledged, params["editors"], words))


def bags(flight: str) -> int:
    return int(told(expect(ask(flight), 200))["bags"])


def change(flight: str, read: Answer) -> Request:
    """Return the request that adds a bag to what was read, with its entity tag if it has one."""
    tag = read.headers.get("etag")
    headers = {"If-Match": tag} if tag else {}
    return sending("PATCH", flight, {"bags": told(read)["bags"] + 1}, **headers)


def edited(flight: str) -> bool:
    """Read and change until the change is acknowledged."""
    for _ in range(ATTEMPTS):
        request = change(flight, expect(ask(flight), 200))
        if expect(ask(request), 200, 412).status == 200:
            return True
    return False
