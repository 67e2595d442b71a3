"""One dear query in eight forms, each a way to hide its size; and each form once more, asking for little."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

from . import Told, costed, paged

MOST = 10_000  # values, as context.py says
DEAR, LITTLE = 24, 2

type Page = Callable[[object], str]  # how many rows -> the argument of a list
type Asked = tuple[str, Mapping[str, Any]]  # the query, and its variables


def thrice(first: str) -> str:
    return f"{{flights({first}){{origin{{departures({first}){{origin{{departures({first}){{id}}}}}}}}}}}}"


def nesting(page: Page, rows: int) -> Asked:
    return thrice(page(rows)), {}


def alias(page: Page, rows: int) -> Asked:
    fields = (f"a{n}: flights({page(rows * 20)}){{id origin{{code}}}}" for n in range(15))
    return f"{{{' '.join(fields)}}}", {}


def fragment(page: Page, rows: int) -> Asked:
    first = page(rows)
    return (
        f"{{flights({first}){{...A}}}} fragment A on Flight{{origin{{departures({first}){{...B}}}}}}"
        f" fragment B on Flight{{origin{{departures({first}){{id}}}}}}"
    ), {}


def variable(page: Page, rows: int) -> Asked:
    return f"query($n: Int){thrice(page('$n'))}", {"n": rows}


def default_of_a_variable(page: Page, rows: int) -> Asked:
    return f"query($n: Int = {rows}){thrice(page('$n'))}", {}


def default_of_the_schema(page: Page, rows: int) -> Asked:
    return f"{{flights({page(rows)}){{origin{{departures{{origin{{departures{{id}}}}}}}}}}}}", {}


def null(page: Page, rows: int) -> Asked:
    return (thrice(page("null")) if rows == DEAR else f"{{flights({page('null')}){{id}}}}"), {}


def negative(page: Page, rows: int) -> Asked:
    return (thrice(page(-1)) if rows == DEAR else f"{{flights({page(-1)}){{id}}}}"), {}


FORMS = (
    nesting,
    alias,
    fragment,
    variable,
    default_of_a_variable,
    default_of_the_schema,
    null,
    negative,
)


class ADearQueryIsRefused(Experiment):
    slug = "a-dear-query-is-refused"
    claim = (
        "A query for more than 10,000 values is refused before its first statement with its price, in "
        "all 8 forms: nested, by aliases, fragments, variables, defaults of a variable and of the "
        "schema, null and a negative number; each form is answered where it asks for less."
    )
    holds = ("priced",)
    refuted = ("resolvers", "optimizer", "ariadne_cost")
    reports = (
        (
            "strawberry-graphql/strawberry#2988",
            "there are limits of depth and of aliases, and none of what a query costs",
            "the price is the number of values of the answer",
        ),
    )
    values = Series("values in the largest answer")
    statements = Series("statements before a refusal")
    refused = Series("forms refused with their price")
    little = Series("forms answered where they ask for less")
    chart = Chart(values, "values in the largest answer", x="forms", bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        pattern = paged(stack, variant)
        largest = statements = refused = little = 0
        for place, form in enumerate(FORMS, 1):
            query, variables = form(lambda rows: pattern % rows, DEAR)
            dear = costed(stack, variant, query, variables)
            largest = max(largest, dear.values)
            refused += self._refused(dear)
            statements += dear.statements if dear.errors else 0
            yield self.refused(refused, x=place)
            yield self.statements(statements, x=place)
            yield self.values(largest, x=place)
            if largest > MOST:  # refuted; a null would ask the naive ones for a hundred million
                return
            query, variables = form(lambda rows: pattern % rows, LITTLE)
            little += costed(stack, variant, query, variables).values > 0
            yield self.little(little, x=place)

    def _refused(self, told: Told) -> bool:
        """Whether it is refused with its price; ariadne calls it a cost."""
        told_by = [each.get("extensions", {}) for each in told.errors]
        return any("price" in each or "cost" in each for each in told_by)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        refused = samples.last(self.refused)
        words = (
            f"an answer of {{measured}} values, {{bound}} are allowed; {refused:.0f} forms refused"
        )
        values = Verdict.at_most(samples.last(self.values), MOST, words)
        if not values.holds:
            return values
        every = Verdict.at_least(refused, len(FORMS), "{measured} of {bound} forms refused")
        little = samples.last(self.little, default=0)
        return (
            Verdict.at_most(
                samples.last(self.statements), 0, "{measured} statements before a refusal"
            )
            & every
            & Verdict.at_least(little, len(FORMS), "{measured} of {bound} answered for less")
        )
