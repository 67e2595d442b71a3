"""Six faults that are really provoked, and 19 misspelt requests: what their answers tell of the inside."""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
)

from . import answered, request, rows

# Tables, columns and constraints, SQL and its types, what serves, and where.
INSIDE = re.compile(
    r"flights_\w+|\w+_id\b|a_seat_is_taken_once|\b(?:SELECT|UPDATE|INSERT|WHERE|DETAIL|CONTEXT|Key|relation"
    r"|constraint|statement|tuple|character varying|bigint|psycopg|PostgreSQL|Django|matching query"
    r"|expected a number|NUL|server at|server on|port \d+|Traceback|line \d+)\b|\d+\.\d+\.\d+\.\d+"
)
SEAT = 'mutation{{changeSeat(booking: "Booking:1", seat: "{}"){{seat}}}}'
# Beside a seat that is taken, a row that is kept, and a database that is gone.
FAULTS = {
    "a seat of 40 letters": SEAT.format("A" * 40),
    "an id that is no number": '{booking(id: "Booking:one"){seat}}',
    "a NUL": 'mutation{signIn(name: "\\u0000", reference: "A")}',
}
NAMES = (
    *("flights", "airports", "booking", "node", "me", "signIn", "changeSeat"),
    *("passport", "email", "reference", "passenger", "bookings"),
)
MISSPELT = (
    "{flight{id}}",
    "{airport{code}}",
    '{bookin(id:""){seat}}',
    '{nod(id:""){id}}',
    "{m{name}}",
    "{me{passpor}}",
    "{me{emai}}",
    "{me{nam}}",
    "{me{booking{id}}}",
    "{flights{origi{code}}}",
    "{flights{booking{seat}}}",
    "{airports{departure{id}}}",
    "{airports{cod}}",
    'mutation{signI(name:"",reference:"")}',
    'mutation{changeSea(booking:"",seat:""){seat}}',
    '{booking(id:""){referenc}}',
    '{booking(id:""){passenge{name}}}',
    '{booking(id:""){sea}}',
    "{flights(frist:1){id}}",
)


class ErrorsTellNothing(Experiment):
    slug = "errors-tell-nothing"
    claim = (
        "Six faults, among them a database that is gone, and 19 misspelt requests tell no table, no "
        "column, no SQL and no address, and 0 of 12 names of the schema."
    )
    holds = ("priced",)
    refuted = ("resolvers",)
    reports = (
        (
            "keystonejs/keystone#2303",
            "an error tells the INSERT, its table and its constraint, in production, too",
            "a code, a sentence and a number for the log",
        ),
        (
            "apollographql/apollo-server#3919",
            "suggestions in errors tell a schema whose introspection is off",
            "no suggestion leaves the service",
        ),
    )
    faults = Series("faults that tell of the inside")
    names = Series("names of the schema that are told")
    told = Series("what is told", "told in all")
    coded = Series("answers with a code for programs")
    chart = Chart(told, "faults and names told", x="requests", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        ((reference,),) = rows(stack, "SELECT reference FROM flights_booking WHERE id = 1")
        query = f'mutation{{signIn(name: "Passenger 1", reference: "{reference}")}}'
        token = str(answered(request(stack, variant, query)).data["signIn"])
        faults = coded = 0
        learnt: set[str] = set()
        for sent, (fault, said) in enumerate(self._said(stack, variant, token), 1):
            if not (errors := said.get("errors") or []):
                raise ExperimentError(f"no error: {said}")
            words = json.dumps(errors)
            coded += all(each.get("extensions", {}).get("code") for each in errors)
            faults += fault and bool(INSIDE.search(words))
            learnt |= {each for each in NAMES if f"'{each}'" in words.partition("Did you mean")[2]}
            yield self.coded(coded, x=sent)
            yield self.faults(faults, x=sent)
            yield self.names(len(learnt), x=sent)
            yield self.told(faults + len(learnt), x=sent)

    def _said(
        self, stack: Stack, variant: str, token: str
    ) -> Iterator[tuple[bool, dict[str, Any]]]:
        """Yield whether it was a fault, and what was answered."""

        def sent(query: str) -> dict[str, Any]:
            return dict(answered(request(stack, variant, query, token=token)).said)

        ((taken,),) = rows(stack, "SELECT seat FROM flights_booking WHERE id = 2")
        for query in (SEAT.format(taken), *FAULTS.values()):
            yield True, sent(query)
        with psycopg.connect(stack.services["postgres"]) as keeper:
            keeper.execute("SELECT FROM flights_booking WHERE id = 1 FOR UPDATE")
            yield True, sent(SEAT.format("9D"))
        for query in MISSPELT:
            yield False, sent(query)
        with stack.stopped("postgres"):
            yield True, sent(SEAT.format("9E"))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        faults, names = samples.last(self.faults), samples.last(self.names)
        words = f"{{measured}} things told: {faults:.0f} faults, {names:.0f} of {len(NAMES)} names"
        told = Verdict.at_most(samples.last(self.told), 0, words)
        if not told.holds:
            return told
        sent = len(FAULTS) + 3 + len(MISSPELT)
        coded = samples.last(self.coded)
        return told & Verdict.at_least(coded, sent, "{measured} of {bound} answers have a code")
