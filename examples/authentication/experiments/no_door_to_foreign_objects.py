"""Try every route of the URLconf with every method on thirty bookings, as a passenger, a desk and nobody."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    expect,
)

from . import PATIENCE_SECONDS, login, request, send, sql

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CALLERS = ("passenger-1", "desk-UA", "")
BEGIN = """
WITH gone AS (DELETE FROM flights_booking)
INSERT INTO flights_booking (reference, flight_id, passenger_id, seat, checked_in)
SELECT upper(left(md5(random()::text), 8)), flight.id, passenger.user_id, place || 'A', false
FROM flights_passenger AS passenger, generate_series(1, 10) AS place
    JOIN (SELECT id, row_number() OVER (ORDER BY id) FROM flights_flight) AS flight
        ON row_number = place % 6 + 1
"""
BOOKINGS = """
SELECT booking.id, reference, flight_id, passenger_id, seat, checked_in, airline, username, passport
FROM flights_booking AS booking JOIN flights_flight AS flight ON flight.id = flight_id
    JOIN flights_passenger AS passenger ON passenger.user_id = passenger_id
    JOIN auth_user ON auth_user.id = passenger_id ORDER BY booking.id
"""
PASSPORT = """
SELECT user_id, passport FROM flights_passenger JOIN auth_user ON id = user_id WHERE username = %s
"""
# Nested too deeply, infinite, too large, NUL, half a character, no JSON; a wrong password; no such path.
ODD_BODIES = (
    b"[" * 20_000,
    b'{"flight": 1e400, "username": 1e400, "password": "x"}',
    b'{"seat": "' + b"A" * 3_000_000 + b'"}',
    b'{"seat": "\\u0000", "username": "\\u0000", "password": "x"}',
    b'{"seat": "\\ud800", "username": "\\ud800", "password": "x"}',
    b"\xff",
)
ODD_PATHS = (
    ("password/", "POST", {"old": "a guess", "new": "another"}),
    ("refresh/", "POST", {"refresh": "\ufffd.1:x"}),
    ("flights/?number=%00", "GET", None),
    ("bookings", "POST", {}),
)
ODD_HEADERS = (
    {"Host": "another.example"},
    {"Authorization": "Basic YTpi"},
    {"Content-Type": "application/json; charset=zlib"},
)
OWN = 40  # at least, of the callers' own: else the doors were closed to everybody
DIGITS = "0123456789ABCDEF"


@dataclass(frozen=True)
class Row:
    """A booking as the owner of the tables sees it."""

    id: int
    reference: str
    flight: int
    passenger: int
    seat: str
    checked_in: bool
    airline: str
    username: str
    passport: str

    def foreign_to(self, caller: str) -> bool:
        return self.airline != "UA" if caller == "desk-UA" else self.username != caller


def bookings(tables: psycopg.Connection[Any]) -> dict[int, Row]:
    return {row[0]: Row(*row) for row in tables.execute(BOOKINGS)}


def begun(tables: psycopg.Connection[Any]) -> dict[int, Row]:
    """Put thirty new bookings in the place of all, and return them."""
    tables.execute(BEGIN)
    return bookings(tables)


def routes(stack: Stack, variant: str) -> list[str]:
    """Return the paths of a variant below its own, as its URLconf has them; the logout last."""
    listed = json.loads(ask(f"{stack.url}/api/").body)["variants"]
    (paths,) = (each["paths"] for each in listed if each["name"] == variant)
    found = [path.removeprefix(f"/api/{variant}/") for path in paths]
    return sorted(found, key=lambda path: path == "logout/")


def is_faulty(answer: Answer) -> bool:
    """Whether it is an error of the server, or one that is not told as RFC 9457 says."""
    kind = answer.headers.get("content-type", "")
    return answer.status >= 500 or (answer.status >= 400 and kind != "application/problem+json")


class NoDoorToForeignObjects(Experiment):
    slug = "no-door-to-foreign-objects"
    claim = (
        "Every route, by every method, on 30 bookings: a passenger, a desk and nobody "
        "see no field and change no row that is not theirs."
    )
    holds = ("sessions",)
    refuted = ("is_owner",)
    reports = (
        (
            "beda-software/drf-writable-nested#83",
            "a body names an object of somebody else, and takes it",
            "the row that the body names is not there for who asks",
        ),
        (
            "aio-libs/aiohttp#3562",
            "the `charset` of a request chooses the codec: one that is none for text is a 500",
            "all is read as UTF-8, the address as well, which Django reads before any middleware",
        ),
    )
    objects = Series("bookings", "foreign, seen or changed, counted at each door")
    doors = Series("doors")
    letters = Series("characters", "of a foreign passport")
    faults = Series("answers", "server errors, and errors of another shape than RFC 9457's")
    own = Series("bookings", "of the caller's own, seen")
    chart = Chart(objects, "foreign bookings seen or changed")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        # As their owner, whom no policy concerns.
        with psycopg.connect(stack.services["postgres"], autocommit=True) as self.tables:
            try:
                yield from self._try(stack, variant)
            finally:
                begun(self.tables)

    def _try(self, stack: Stack, variant: str) -> Iterator[Sample]:
        paths = routes(stack, variant)
        self.faulty, self.own_seen, self.before = 0, 0, dict[int, Row]()
        objects = doors = 0
        yield clock_starts()
        tokens = {each: login(stack, variant, each)["access"] for each in CALLERS if each}
        yield self.letters(self._passport(stack, variant, tokens["passenger-1"]))
        for caller in CALLERS:
            token = tokens.get(caller, "")
            for path in paths:
                for method in METHODS:
                    found = self._through(stack, variant, path, method, caller, token)
                    doors += bool(found)
                    objects += len(found)
                    yield self.doors(doors)
                    yield self.objects(objects)
        yield self.faults(self.faulty + sum(map(is_faulty, self._odd(stack, variant))))
        yield self.own(self.own_seen)

    def _through(
        self, stack: Stack, variant: str, path: str, method: str, caller: str, token: str
    ) -> set[int]:
        """Return the foreign bookings that one door shows, or lets the caller change."""
        before = self.before or begun(self.tables)
        rows = list(before.values())
        foreign = {row.id: row for row in rows if row.foreign_to(caller)}
        found: set[int] = set()

        def knock(place: int) -> Answer:
            other = rows[(place + 11) % len(rows)]
            body = {"flight": other.flight, "passenger": other.passenger, "seat": "9Z"}
            filled = path.replace("<int:pk>", str(rows[place].id))
            said = None if method in ("GET", "DELETE") else body
            asked = request(stack, variant, filled, method, said, token)
            return ask(asked, timeout_seconds=PATIENCE_SECONDS)

        first = knock(0)
        # Without a key in the path the body alone differs, which nobody reads whose token is refused.
        once = "<" not in path and (method in ("GET", "DELETE") or first.status == 401)
        rest = () if once or first.status == 405 else range(1, len(rows))
        with ThreadPoolExecutor(8) as pool:
            answers = [first, *pool.map(knock, rest)]
        for place, answer in enumerate(answers):
            self.faulty += is_faulty(answer)
            found |= self._shown(answer, foreign, rows[(place + 11) % len(rows)], caller)
            row = rows[place]
            self.own_seen += row.id not in foreign and row.reference in answer.body.decode()
        after = bookings(self.tables)
        self.before = after if after == before else {}
        changed = {number for number, row in foreign.items() if after.get(number) != row}
        made = {number for number in after.keys() - before if after[number].foreign_to(caller)}
        return found | changed | made

    def _shown(self, answer: Answer, foreign: dict[int, Row], other: Row, caller: str) -> set[int]:
        text = answer.body.decode()
        shown = {number for number, row in foreign.items() if row.reference in text}
        # A desk knows the passengers of its flights; nobody else knows who is named in the body.
        if caller != "desk-UA" and other.foreign_to(caller) and other.passport in text:
            shown.add(other.id)
        return shown

    def _odd(self, stack: Stack, variant: str) -> Iterator[Answer]:
        """Yield the answers to what people send that no client of ours does."""
        known = login(stack, variant, "passenger-1")["access"]
        own = next(
            row.id for row in begun(self.tables).values() if not row.foreign_to("passenger-1")
        )
        for body in ODD_BODIES:
            for path, method in (("login/", "POST"), (f"bookings/{own}/", "PATCH")):
                asked = request(stack, variant, path, method, {}, known)
                yield ask(replace(asked, body=body), timeout_seconds=PATIENCE_SECONDS)
        for path, method, said in ODD_PATHS:
            yield send(stack, variant, path, method=method, body=said, token=known)
        asked = request(stack, variant, "flights/?number=UA1")
        for headers in ODD_HEADERS:
            yield ask(replace(asked, headers=headers))

    def _passport(self, stack: Stack, variant: str, token: str) -> int:
        """Ask the public list by the letters of somebody's passport; return how many can be told."""
        user, passport = sql(stack, PASSPORT, "passenger-2")[0]
        known = ""
        while len(known) < len(passport):
            low, high = 0, len(DIGITS)
            while high - low > 1:
                middle = (low + high) // 2
                path = (
                    f"flights/?booking__passenger={user}"
                    f"&booking__passenger__passport__gte={known}{DIGITS[middle]}"
                )
                answer = expect(send(stack, variant, path, "GET", token=token), 200, 400)
                low, high = (middle, high) if b"number" in answer.body else (low, middle)
            known += DIGITS[low]
        return sum(1 for one, two in zip(known, passport, strict=True) if one == two) * (
            known == passport
        )

    def judge(self, samples: Samples, params: Params) -> Verdict:
        letters, doors = samples.last(self.letters), samples.last(self.doors)
        words = f"{{measured}} foreign bookings seen or changed through {doors:.0f} doors"
        read = Verdict.at_most(letters, 0, "{measured} of 8 characters of a passport read")
        verdict = Verdict.at_most(samples.last(self.objects), 0, words) & read
        if not verdict.holds:
            return verdict
        samples.wait_for_end()
        own = Verdict.at_least(
            samples.last(self.own), OWN, "{measured} own ones seen, at least {bound} expected"
        )
        faults = samples.last(self.faults)
        return verdict.provided(
            own & Verdict.at_most(faults, 0, "{measured} server errors, or of another shape")
        )
