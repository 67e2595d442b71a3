"""Seven paths to one booking, walked by nobody, by another passenger and by its own."""

import json
from collections.abc import Iterator

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

OWNER, OTHER = 2, 1  # their bookings 52 and 51 are of one flight
PERSON = "passenger{name email passport}"
PATHS = {
    "the field of the root": f'{{booking(id: "Booking:52"){{reference {PERSON}}}}}',
    "a list of what is open": f"{{flights(first: 1){{bookings{{reference {PERSON}}}}}}}",
    "back over a foreign key": f"{{me{{passport bookings(first: 1){{flight{{bookings{{{PERSON}}}}}}}}}}}",
    "node": f'{{node(id: "Booking:52"){{... on Booking{{reference {PERSON}}}}}}}',
    "a fragment on an interface": (
        '{node(id: "Passenger:2"){...A}} fragment A on Node{id ... on Passenger{email passport}}'
    ),
    "an alias beside one's own": (
        f'{{a: node(id: "Booking:51"){{...A}} b: node(id: "Booking:52"){{...A}}}}'
        f" fragment A on Booking{{reference {PERSON}}}"
    ),
    "the answer of a mutation": (
        f'mutation{{changeSeat(booking: "Booking:52", seat: "9C"){{reference {PERSON}'
        f" flight{{bookings{{{PERSON}}}}}}}}}"
    ),
}
GIVEN = """
SELECT p.id, p.email, p.passport, b.reference
FROM flights_booking b JOIN flights_passenger p ON p.id = passenger_id
"""


class EveryPathIsGuarded(Experiment):
    slug = "every-path-is-guarded"
    claim = (
        "On 7 paths to one booking nobody is told a value of other people, and the booking's own passenger "
        "is told it on each path."
    )
    holds = ("priced",)
    refuted = ("resolvers",)
    reports = (
        (
            "strapi/strapi#7880",
            "a list that is open gives its relations away, which the root refuses",
            "the type asks, whatever field leads to it",
        ),
    )
    foreign = Series("values of other people")
    own = Series("paths that tell the passenger what is their own")
    chart = Chart(foreign, "values of other people", x="paths walked", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        of: dict[int, set[str]] = {}
        for passenger, *secrets in rows(stack, GIVEN):
            of.setdefault(passenger, set()).update(secrets)
        foreign = own = walked = 0
        tokens = {None: "", OTHER: self._token(stack, variant, OTHER)}
        tokens[OWNER] = self._token(stack, variant, OWNER)
        for query in PATHS.values():
            for caller, token in tokens.items():
                walked += 1
                said = json.dumps(answered(request(stack, variant, query, token=token)).said)
                others = set[str]().union(*(of[each] for each in of if each != caller))
                foreign += sum(f'"{value}"' in said for value in others)
                own += caller == OWNER and any(f'"{value}"' in said for value in of[OWNER])
                yield self.own(own, x=walked)
                yield self.foreign(foreign, x=walked)

    def _token(self, stack: Stack, variant: str, passenger: int) -> str:
        """Sign a passenger in, by the booking of the same number."""
        query = "mutation($name: String!, $reference: String!){signIn(name: $name, reference: $reference)}"
        (found,) = rows(stack, f"SELECT reference FROM flights_booking WHERE id = {passenger:d}")  # noqa: S608
        variables = {"name": f"Passenger {passenger}", "reference": found[0]}
        said = answered(request(stack, variant, query, variables)).said
        if not (token := (said.get("data") or {}).get("signIn")):
            raise ExperimentError(f"passenger {passenger} cannot sign in: {said}")
        return str(token)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        foreign = Verdict.at_most(
            samples.last(self.foreign), 0, "{measured} values of other people told"
        )
        if not foreign.holds:
            return foreign
        words = "on {measured} of {bound} paths its passenger is told what is their own"
        return foreign & Verdict.at_least(samples.last(self.own), len(PATHS), words)
