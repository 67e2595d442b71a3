"""End a session while 25 sockets listen with it, and 25 more are between handshake and room."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

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
    ask,
    clock_starts,
    expect,
    rest,
    until,
)

from . import (
    PATIENCE_SECONDS,
    Display,
    all_joined,
    change,
    displays,
    held_joining,
    pumped,
    rooms,
    socket,
    store,
)

HALF, CHANGES, EXPIRES_SECONDS = 25, 10, 4
LATE_SECONDS = 3  # of a timer on a busy machine


@dataclass(frozen=True)
class Brief:
    """Displays whose session ends at a moment of `time.monotonic()`."""

    made: list[Display]
    ends: float


class RevokedIsCutOff(Experiment):
    slug = "revoked-is-cut-off"
    claim = (
        "Once a session is revoked or has expired, none of its 75 sockets hears anything, also where it was "
        "revoked between handshake and join, and no ticket of it lets anybody in."
    )
    holds = ("boards",)
    refuted = ("channels",)
    heard = Series("changes heard after the end of the session")
    closed = Series("sockets closed with 4401")
    refused = Series(
        "displays refused: without a ticket, with a used one, with one of an ended session"
    )
    reports = (
        (
            "mcdonc/klangk#3152",
            "a socket is authenticated at its handshake, and survives the revocation of its token",
            "the end of a session takes the way of a change, and closes its sockets with 4401",
        ),
    )
    chart = Chart(heard, "changes heard after the end of the session", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack, 2, private=True) as names, ExitStack() as held:
            yield clock_starts()
            expired, revoked = names
            brief = held.enter_context(self.brief(stack, variant, expired))
            session = self.session(stack, revoked, 600)
            first = self.addresses(stack, variant, revoked, session)
            early = held.enter_context(displays(first, once=True))
            all_joined(early)
            outside = self.turned_away([first[0], socket(stack, variant, revoked)])
            *second, unused = self.addresses(stack, variant, revoked, session, HALF + 1)
            with held_joining(stack, HALF) as settle, displays(second, once=True) as late:
                until(lambda: all(each.connected for each in late), PATIENCE_SECONDS)
                settle()
                self.asked(stack, f"sessions/{session}/", "DELETE")
                pumped(stack)
                store(stack).delete("drill:joining")
                until(lambda: all(each.closed for each in late), 0.5)
                made = [*early, *late, *brief.made]
                yield from self.told(stack, variant, revoked, made)
                yield self.refused(outside + self.turned_away([unused]))
                self.asked(stack, "tickets/", "POST", token=session, expected=401)
                end = brief.ends + LATE_SECONDS
                while not all(each.closed for each in brief.made) and time.monotonic() < end:
                    rest(0.1)
                    yield self.heard(sum(each.heard for each in made))
                yield from self.told(stack, variant, expired, made)
                rest(1)
                yield self.heard(sum(each.heard for each in made))
                yield self.closed(sum(code == 4401 for each in made for _, code in each.closed))

    def turned_away(self, addresses: list[str]) -> int:
        """Return how many displays are refused with 4401."""
        with displays(addresses, once=True) as made:
            until(lambda: all(each.closed or each.joined for each in made), PATIENCE_SECONDS)
            return sum(code == 4401 for each in made for _, code in each.closed)

    @contextmanager
    def brief(self, stack: Stack, variant: str, room: str) -> Iterator[Brief]:
        """Let displays listen with a session that expires soon, but not before all have joined."""
        for seconds in (EXPIRES_SECONDS, 5 * EXPIRES_SECONDS, 25 * EXPIRES_SECONDS):
            ends = time.monotonic() + seconds
            session = self.session(stack, room, seconds)
            addresses = self.addresses(stack, variant, room, session)
            with displays(addresses, once=True) as made:
                if until(lambda made=made: all(each.joined for each in made), seconds - 1):
                    yield Brief(made, ends)
                    return
        raise ExperimentError("the displays of a booking do not join")

    def told(self, stack: Stack, variant: str, room: str, made: list[Display]) -> Iterator[Sample]:
        """Change the room, and count who hears of it."""
        for _ in range(CHANGES):
            change(stack, variant, room)
            yield self.heard(sum(each.heard for each in made))
        pumped(stack)
        yield self.heard(sum(each.heard for each in made))

    def session(self, stack: Stack, room: str, seconds: int) -> str:
        said = self.asked(stack, "sessions/", "POST", {"room": room, "seconds": seconds})
        return str(said["session"])

    def addresses(
        self, stack: Stack, variant: str, room: str, session: str, count: int = HALF
    ) -> list[str]:
        tickets = [self.asked(stack, "tickets/", "POST", token=session) for _ in range(count)]
        return [f"{socket(stack, variant, room)}?ticket={each['ticket']}" for each in tickets]

    def asked(
        self,
        stack: Stack,
        path: str,
        method: str,
        said: object = None,
        token: str = "",
        expected: int = 201,
    ) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {token or stack.staff_token}"}
        request = Request(f"{stack.url}/api/{path}", headers, method, json.dumps(said).encode())
        answer = expect(ask(request), expected, 204)
        return dict(json.loads(answer.body or b"{}"))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} changes heard after the end of the session"
        heard = Verdict.at_most(samples.last(self.heard), 0, words)
        if not heard.holds:
            return heard
        samples.wait_for_end()
        words = "{measured} of {bound} sockets closed with 4401"
        closed = Verdict.exactly(samples.last(self.closed), 3 * HALF, words)
        words = "{measured} of {bound} displays without a good ticket refused"
        return (heard & closed).provided(Verdict.exactly(samples.last(self.refused), 3, words))
