"""What clients send: half a body, a number that is none, a day that there is not, a seat that is taken."""

from collections.abc import Iterator, Mapping

from nexus.experiment import (
    Answer,
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
    ask,
    clock_starts,
)

from . import JSON, sending, told, url

TAKEN = {"flight": 10, "passenger": "Ada Lovelace", "seat": "1A"}
FLIGHTS = (
    "?day=tomorrow",
    "?day=2013-02-30",
    "?number=abc",
    "?number=99999999999999999999",
    "?origin=%00",
    "?page=0",
    "999999999/",
    "99999999999999999999999/",
    "abc/",
)
BODIES: tuple[object, ...] = (
    {},
    [],
    TAKEN,
    TAKEN | {"seat": "row twelve"},
    TAKEN | {"flight": 999_999_999},
    TAKEN | {"passenger": "Ada\0", "seat": "2A"},
    TAKEN | {"passenger": "\ud800", "seat": "2A"},
)
RAW = (b"[" * 100_000 + b"]" * 100_000, b'{"flight": 10, ', b'{"passenger": "\xff"}')


class NoInputBreaksIt(Experiment):
    slug = "no-input-breaks-it"
    claim = "Of 24 odd inputs none is an error of the server, and every error has one shape."
    holds = ("kept",)
    refuted = ("generated",)
    broken = Series("answers", "answers 500")
    shapes = Series("shapes", "shapes of errors")
    asked = Series("inputs")
    chart = Chart(broken, "answers 500", x="odd inputs", bound=0)
    live = (shapes,)
    reports = (
        (
            "encode/django-rest-framework#7448",
            "a NUL in a query parameter is a 500",
            "400: the contract says what a parameter looks like",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        yield clock_starts()
        seen: set[str] = set()
        broken = 0
        for sent, request in enumerate(inputs(url(stack, variant, "")), 1):
            answer = ask(request, timeout_seconds=60)
            if not answer.status:
                raise ExperimentError(f"no answer to {request.url}: {answer.error}")
            broken += answer.status >= 500
            seen |= {shape(answer)} if answer.status >= 400 else set()
            yield self.shapes(len(seen))
            yield self.asked(sent)
            yield self.broken(broken, x=sent)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = f"{{measured}} of {samples.last(self.asked):.0f} odd inputs answered with 500"
        broken = Verdict.at_most(samples.last(self.broken), 0, words)
        words = "{measured:shape} of errors, there may be {bound}"
        return broken & Verdict.exactly(samples.last(self.shapes), 1, words)


def inputs(api: str) -> Iterator[Request]:
    """Yield the 24."""
    yield from (Request(f"{api}flights/{each}") for each in FLIGHTS)
    bookings = f"{api}bookings/"
    yield from (sending("POST", bookings, each) for each in BODIES)
    yield from (Request(bookings, JSON, "POST", each) for each in RAW)
    yield Request(bookings, {"Content-Type": "text/plain"}, "POST", b"a window seat")
    for bags, read in (({"bags": "many"}, '"1"'), ([], '"1"'), ({"bags": 1}, "the one I saw")):
        yield sending("PATCH", f"{api}flights/3/", bags, **{"If-Match": read})
    yield Request(f"{api}flights/10/", method="DELETE")  # it has a booking


def shape(answer: Answer) -> str:
    """Return what a client would have to tell apart, to read an error."""
    body = told(answer)
    if not isinstance(body, Mapping):
        return "no JSON" if body is None else type(body).__name__
    names = body.keys()
    if {"type", "title", "status"} <= names:
        return "problem"
    return next((each for each in ("detail", "non_field_errors") if each in names), "fields")
