"""Through the CDN: a cold crowd, edits, the fill race, two kinds of readers, and an origin that stops."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Undecided,
    Verdict,
    ask,
    expect,
    rest,
    until,
    volley,
)

from . import DEADLINE_SECONDS, Database, Operator, document, overtaken, page, version

MOST_MS = 250
GIVE_UP_SECONDS = 1.0
NOBODYS = "EDDF"
PAST_SECONDS = 3.5  # the CDN keeps alternates for 1 s, and serves them for 2 s more


@dataclass(frozen=True, slots=True)
class Idle:
    """A page that nobody asks for, as the CDN has it."""

    url: str
    body: bytes
    kind: tuple[str | None, str | None]


class TheEdgeIsFreshAndPrivate(Experiment):
    slug = "the-edge-is-fresh-and-private"
    claim = (
        "Through the CDN 200 cold requests with made-up parameters reach the origin once, an edit is "
        "served within 250 ms and leaves other pages there, no body crosses users, a crowd on an idle "
        "page causes one computation and no other headers, and pages are served on while the origin is "
        "down."
    )
    holds = ("layered",)
    refuted = ("cache_page",)
    needs = ("varnish",)
    fresh_after = Series("ms until the CDN served an edit")
    at_the_origin = Series("requests of a cold crowd that reached the origin")
    evicted = Series("other pages that an edit evicted")
    race = Series("old versions served after the fill race")
    crossed = Series("answers that are for somebody else")
    idle_computations = Series("computations of an idle page for a crowd")
    changed = Series("pages that a renewal changed")
    lost = Series("requests without a page while the origin was down")
    chart = Chart(
        fresh_after, "ms until the CDN serves an edit", x="edits", mark="points", bound=MOST_MS
    )
    parameters = (
        Parameter("readers", 200, 20, 400, "readers"),
        Parameter("edits", 5, 1, 50, "edits"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        edge = f"{stack.services['varnish']}/api/{variant}/airports"
        readers = int(params["readers"])
        # It asks its origin every second whether it is there.
        if not until(lambda: ask(f"{stack.services['varnish']}/healthz").status == 200, 20, 0.1):
            raise ExperimentError("the CDN does not find its origin")
        with Database(stack) as database, Operator(stack) as operator:
            cold, edited, other, raced, *mixed = database.codes(8)
            if variant not in self.refuted:
                crowded, alone = (self._idle(database, edge, (edited, raced)) for _ in range(2))
                asked = time.monotonic()
            seen = Samples([self.at_the_origin(self._cold(database, f"{edge}/{cold}/", readers))])
            yield from seen
            for number in range(int(params["edits"])):
                for sample in self._edit(operator, edge, edited, other, number + 1):
                    seen.append(sample)
                    yield sample
            made = overtaken(stack, database, {raced: f"{edge}/{raced}/"})
            yield self.race(version(page(f"{edge}/{raced}/")) < made[raced])
            yield self.crossed(self._crossed(stack, [f"{edge}/{code}/" for code in mixed]))
            # What the CDN does not keep, or keeps for too long, is refuted, and cannot be asked more.
            if variant not in self.refuted and self.judge(seen, params).holds:
                rest(PAST_SECONDS - (time.monotonic() - asked))
                yield self.idle_computations(self._renewed(database, crowded, readers))
                yield self.changed(self._changed(crowded))
                yield self.lost(self._without_origin(stack, alone))

    @staticmethod
    def _idle(database: Database, edge: str, edited: tuple[str, ...]) -> Idle:
        """Return a page that the CDN now has, and that no edit of this run voids."""
        for code in database.codes(20):
            target = f"{edge}/{code}/alternates/"
            known = page(target)
            if not any(f'"{each}"'.encode() in known.body for each in edited):
                return Idle(target, known.body, kind(known))
        raise ExperimentError("every list of alternates has an airport that is edited")

    @staticmethod
    def _cold(database: Database, target: str, readers: int) -> int:
        """Return how many requests the CDN passed on while the first of them stood at the barrier."""
        with database.crowded(1, DEADLINE_SECONDS):
            crowd = [Request(f"{target}?reader={number}") for number in range(readers)]
            return sum(not fetch(each) for each in volley(crowd, processes=2, connections=100))

    def _edit(
        self, operator: Operator, edge: str, code: str, other: str, number: int
    ) -> Iterator[Sample]:
        target, beside = f"{edge}/{code}/", f"{edge}/{other}/"
        page(target)
        kept = fetch(page(beside)) or fetch(page(beside))
        current = operator.edit(code)
        written = time.monotonic()
        until(lambda: version(page(target)) >= current, GIVE_UP_SECONDS, 0.005)
        yield self.fresh_after(1000 * (time.monotonic() - written), x=number)
        yield self.evicted(fetch(page(beside)) != kept)

    @staticmethod
    def _crossed(stack: Stack, targets: list[str]) -> int:
        """Return how many got what is not theirs: staff see where to edit, and edit; nobody else does."""
        staff = {"Authorization": f"Bearer {stack.staff_token}"}
        poison = {"X-Forwarded-Host": "poison.example", "Cookie": "reader=somebody"}
        kinds = [{}, staff, poison, staff]
        requests = [Request(targets[n % len(targets)], kinds[n // 7 % 4]) for n in range(200)]
        crossed = 0
        for answer in volley(requests, processes=2, connections=10):
            for_staff = "edits" in document(answer)
            crossed += for_staff != (requests[answer.request].headers is staff)
            crossed += b"poison" in answer.body or "poison" in str(answer.headers)
        edit = Request(f"{stack.url}/api/airports/{NOBODYS}/edits/?name=Mine", method="POST")
        return crossed + (ask(edit).status != 403)

    @staticmethod
    def _renewed(database: Database, idle: Idle, readers: int) -> int:
        """Let a crowd ask for what the CDN has no more; return the computations at the barrier."""
        with database.barrier():
            for answer in volley([Request(idle.url)] * readers, processes=2, connections=100):
                expect(answer, 200)
            database.wait_blocked()
            return database.blocked()

    @staticmethod
    def _changed(idle: Idle) -> bool:
        """Tell whether the CDN has another page, or another kind of page, once its origin has said 304."""
        renewed = until(lambda: bool(fetch(page(idle.url))), GIVE_UP_SECONDS, 0.02)
        answer = page(idle.url)
        return not renewed or answer.body != idle.body or kind(answer) != idle.kind

    @staticmethod
    def _without_origin(stack: Stack, idle: Idle) -> int:
        """Return how many are not served on: at first the CDN believes in its origin, then it knows."""
        crowd = [Request(idle.url)] * 50
        with stack.killed("web"):
            answers = list(volley(crowd, processes=2, connections=25))
            answers += volley(crowd, processes=2, connections=5, rate=20)
        stack.wait_ready()
        return sum(each.status != 200 or each.body != idle.body for each in answers)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        if not samples.of(self.fresh_after):
            raise Undecided("nothing was edited yet")
        words = "an edit was served after {measured:.0f} ms at most, {bound} ms are allowed"
        verdict = Verdict.at_most(max(samples.values(self.fresh_after)), MOST_MS, words)
        for series, bound, words in (
            (self.at_the_origin, 1, "{measured} of the cold requests reached the origin"),
            (self.evicted, 0, "{measured} other pages evicted"),
            (self.race, 0, "{measured} old versions after the race"),
            (self.crossed, 0, "{measured} bodies crossed"),
            (self.idle_computations, 1, "{measured:computation} of an idle page"),
            (self.changed, 0, "{measured} pages changed by a renewal"),
            (self.lost, 0, "{measured} requests lost without the origin"),
        ):
            if seen := samples.values(series):
                limit = ", {bound} is allowed" if bound else ""
                verdict &= Verdict.at_most(sum(seen), bound, words + limit)
        return verdict


def fetch(answer: Answer) -> str:
    """Return which of the CDN's fetches the page is from; empty if it fetched it for this request."""
    return expect(answer, 200).headers["x-varnish"].partition(" ")[2]


def kind(answer: Answer) -> tuple[str | None, str | None]:
    """Return what a browser makes of an answer."""
    return answer.headers.get("content-type"), answer.headers.get("content-length")
