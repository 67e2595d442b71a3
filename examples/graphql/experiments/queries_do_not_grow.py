"""Lists of 5, 50 and 500 flights with their relations, and two aliases of one list: statements counted."""

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

from . import Told, costed, paged

ROWS = (5, 50, 500)
MOST = 6


class QueriesDoNotGrow(Experiment):
    slug = "queries-do-not-grow"
    claim = (
        "5, 50 and 500 flights with origin, destination, airline and two aliases of a list of "
        "departures take the same number of statements, at most 6."
    )
    holds = ("priced",)
    refuted = ("resolvers", "optimizer")
    reports = (
        (
            "strawberry-graphql/strawberry-django#862",
            "a relation that the optimizer leaves out is loaded once for each row",
            "each relation has a loader, and there is no other way to it",
        ),
    )
    statements = Series("statements of one request")
    growth = Series("statements more than for 5 flights")
    wrong = Series("lists that do not have the rows that were asked for")
    chart = Chart(statements, "statements", x="flights", mark="points", bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        pattern = paged(stack, variant)
        few = wrong = 0
        for rows in ROWS:
            one, two = (pattern % n for n in (1, 2))
            origin = f"origin{{a: departures({one}){{id}} b: departures({two}){{id}}}}"
            others = "destination{code} airline{code}"
            query = f"{{flights({pattern % rows}){{number {origin} {others}}}}}"
            told = costed(stack, variant, query)
            few = few or told.statements
            wrong += self._wrong(told)
            yield self.wrong(wrong, x=rows)
            yield self.growth(told.statements - few, x=rows)
            yield self.statements(told.statements, x=rows)
            if told.statements > 2 * MOST:  # it is refuted; more rows only take longer
                return
            if len(told.data["flights"]) != rows:
                raise ExperimentError(f"{len(told.data['flights'])} flights instead of {rows}")

    def _wrong(self, told: Told) -> int:
        """Return how many of the aliased lists do not have their 1 and 2 rows."""
        origins = [each["origin"] for each in told.data["flights"]]
        return sum(len(each["a"]) != 1 or len(each["b"]) != 2 for each in origins)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        most = max(samples.values(self.statements), default=0)
        flights = max((each.x or 0 for each in samples.of(self.statements)), default=0)
        words = f"{{measured}} statements for {flights:.0f} flights, {{bound}} are allowed"
        statements = Verdict.at_most(most, MOST, words)
        if not statements.holds:
            return statements
        growth = max(samples.values(self.growth), default=0)
        return (
            statements
            & Verdict.at_most(growth, 0, "{measured} more than for 5")
            & Verdict.at_most(samples.last(self.wrong), 0, "{measured} lists have other rows")
        )
