"""The disk is gone in mid-load: the server is killed, stays away, and its backup alone becomes a server.

What keeps it dies half a second before: whatever is acknowledged in between has no other place to be.
"""

from collections.abc import Iterator
from dataclasses import replace

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    expect,
    rest,
    volley,
)

from . import REFERENCES, begin, body, bookings, keep, only_column, restored


class EveryAcknowledgedBookingComesBack(Experiment):
    slug = "every-acknowledged-booking-comes-back"
    claim = (
        "The database's disk is gone while clients book: every booking that was acknowledged is in the "
        "server that is restored from the backup alone."
    )
    holds = ("received",)
    refuted = ("nightly_dump", "archive_default")
    acknowledged = Series("bookings acknowledged")
    lost = Series("acknowledged bookings that did not come back")
    reports = (
        (
            "pgbackrest/pgbackrest#2233",
            "what stands in the last file of the log is archived once the file is full",
            "each record is received before its commit is acknowledged",
        ),
    )
    chart = Chart(
        lost, "acknowledged bookings that are lost", x="bookings acknowledged", mark="points"
    )

    BEFORE, MORE, KILLED_AT = 50, 900, 300
    RATE, REFUSED = 400, 20  # after so many nobody is answered any more

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        folder = begin(stack, variant)
        requests, references = bookings(stack, variant, self.BEFORE + self.MORE)
        booked = set[str]()
        for answer in volley(requests[: self.BEFORE], processes=2, connections=8):
            expect(answer, 201)
            booked.add(references[answer.request])
        refuse(requests[0])
        if not keep(stack, variant):
            raise ExperimentError("the night's backup was not made")
        yield clock_starts()
        for number in self._load(stack, requests[self.BEFORE :]):
            booked.add(references[self.BEFORE + number])
            yield self.acknowledged(len(booked))
        found = restored(stack, variant, REFERENCES, into=f"{folder}/back")
        lost = booked - only_column(found[0]) if found else booked
        yield self.lost(len(lost), x=len(booked))

    def _load(self, stack: Stack, requests: list[Request]) -> Iterator[int]:
        """Yield the number of each request that was answered with a booking; the disk goes in the middle."""
        answered = refused = 0
        for answer in volley(
            requests, processes=2, connections=8, rate=self.RATE, timeout_seconds=60
        ):
            if expect(answer, 201, 503).status == 201:
                answered += 1
                yield answer.request
                if answered == self.KILLED_AT:
                    lose(stack)
            else:
                refused += 1
            if refused >= self.REFUSED:
                break
        if answered < self.KILLED_AT:
            raise ExperimentError("the disk was not gone: too few bookings were answered")

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = (
            f"{{measured}} of {samples.last(self.acknowledged):,.0f} acknowledged bookings are lost"
        )
        return Verdict.at_most(samples.last(self.lost), 0, words)


def refuse(booked: Request) -> None:
    """Ask for what is acknowledged to nobody: one that is there, one of no account, none, and elsewhere."""
    unknown = body("nobody", 0).replace(b'"payee": 2', b'"payee": 4711')
    bodies = booked.body, unknown, b"none", body("two words", 0)
    asked = [replace(booked, body=each) for each in bodies]
    api = booked.url.rsplit("/", 3)[0]
    asked += [replace(booked, url=f"{api}/{path}") for path in ("tape/bookings/", "tape")]
    asked.append(Request(f"{api}/", method="HEAD"))  # as a probe asks whether it is there
    for answer in volley(asked, processes=1, connections=1):
        expect(answer, (409, 404, 400, 400, 404, 404, 200)[answer.request])


def lose(stack: Stack) -> None:
    """Kill the keeper, and then the server, for good; start the keeper again to restore from what it has."""
    stack.kill("keeper")
    rest(0.5)
    stack.kill("postgres")
    stack.start("keeper")
