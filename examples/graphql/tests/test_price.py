"""The price beside what an answer really holds, on a schema without an end."""

import pytest
from graphql import build_schema, execute_sync, get_operation_ast, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st
from pricing.price import Price
from pricing.tariff import Tariff

SCHEMA = build_schema("""
    type Query { leaf: Int many(first: Int = 2): [Query!]! one: Query rows(first: Int): [Query!] dear: Int }
""")
LEFT_OUT = [
    f"@{name}(if: {said})" for name in ("skip", "include") for said in ("true", "false", "$y", "$z")
]
VARIABLES = "$n: Int, $d: Int = 1, $unset: Int, $y: Boolean!, $z: Boolean = false"
NAN, INF = float("nan"), float("inf")
TARIFF = Tariff(page="first", most=3, extra={"Query.dear": 100})


class Root:
    """An object of which every list has as many rows as the tariff gives."""

    leaf = dear = 1

    def one(self, _info):
        return Root()

    def many(self, _info, first=None):
        return [Root() for _ in range(TARIFF.rows(first))]

    rows = many


def price(query, name=None, **variables):
    document = parse(query)
    return Price(SCHEMA, document, TARIFF, variables).of(get_operation_ast(document, name))


def values(said):
    if isinstance(said, dict):
        return 1 + sum(map(values, said.values()))
    return 1 + sum(map(values, said)) if isinstance(said, list) else 1


def answered(query, **variables):
    result = execute_sync(SCHEMA, parse(query), Root(), variable_values=variables)
    assert result.errors is None
    return values(result.data) - 1


@st.composite
def selections(draw, levels=3, prefix="a"):
    """Fields with an alias of their own each, so that none merges with another."""
    written = []
    for place in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["leaf", "one", "many", "rows", "..."] if levels else ["leaf"]))
        name = f"{prefix}{place}"
        inner = "" if kind == "leaf" else draw(selections(levels - 1, name))
        first = draw(st.sampled_from(["", "0", "1", "3", "99", "null", "-1", "$n", "$d", "$unset"]))
        page = f"(first: {first})" if first and kind in ("many", "rows") else ""
        left = draw(st.sampled_from([*[""] * 4, *LEFT_OUT]))
        written.append(
            f"... on Query {left} {inner}"
            if kind == "..."
            else f"{name}: {kind}{page} {left} {inner}"
        )
    return "{" + " ".join(written) + "}"


@settings(deadline=None)  # how long one takes depends on the machine
@given(selections(), st.sampled_from([None, -1, 0, 1, 2, 99]), st.booleans())
def test_price_is_the_number_of_values_where_nothing_merges(selected, n, y):
    query = f"query({VARIABLES}) {selected}"

    assert price(query, n=n, y=y) == answered(query, n=n, y=y)


@settings(deadline=None)
@given(selections(), st.integers(1, 3))
def test_fields_that_merge_are_counted_each(selected, times):
    query = f"query({VARIABLES}) {{{'...A ' * times}}} fragment A on Query {selected}"

    assert price(query, y=True) == times * answered(query, y=True)


@pytest.mark.report(
    "ChilliCream/graphql-platform#6251",
    "what `@include` leaves out is counted: a client pays for a part of its document that never runs",
    "it costs nothing; a condition that is no boolean is counted, and left to validation",
)
@pytest.mark.parametrize(
    ("condition", "counted"),
    [("@include(if: $no)", 1), ("@skip(if: true)", 1), ('@skip(if: "true")', 29), ("@skip", 29)],
)
def test_what_is_left_out_costs_nothing(condition, counted):
    query = (
        f"query($no: Boolean!){{leaf many(first: 3) {condition} {{leaf many(first: 3){{leaf}}}}}}"
    )

    assert price(query, no=False) == counted


@pytest.mark.report(
    "mirumee/ariadne#1078",
    "the validator of costs passes over inline fragments: what stands in them is free",
    "they are counted as what they stand in",
)
def test_inline_fragments_are_counted():
    assert price("{... on Query{... {many(first: 3){leaf}}}}") == 1 + 3 * 2


@pytest.mark.parametrize(
    "asked", [None, True, False, -1, 4, 2**40, 1.5, 1e99, NAN, INF, "1", [1], {}]
)
def test_what_is_no_number_of_rows_costs_the_most(asked):
    assert TARIFF.rows(asked) == 3


@pytest.mark.report(
    "JetBrains/js-graphql-intellij-plugin#86",
    "a client writes every number of its variables with a fraction: 1 is sent as 1.0",
    "what has no fraction is an Int, and costs what it asks for",
)
def test_int_that_is_written_with_a_fraction_costs_what_it_asks_for():
    query = "query($n: Int){many(first: $n){leaf}}"

    assert price(query, n=2.0) == price(query, n=2) == answered(query, n=2.0)


@pytest.mark.parametrize("asked", ['"x"', "1.5", "[1]", "{a: 1}", "ENUM", "true"])
def test_literal_that_validation_would_refuse_costs_the_most(asked):
    assert price(f"{{many(first: {asked}) {{leaf}}}}") == 1 + 3 * 2


@pytest.mark.report(
    "vektah/gqlparser#173",
    "fragments that lead to each other end the process",
    "the circle costs nothing, and validation refuses it",
)
def test_circle_of_fragments_has_an_end():
    circle = "{...A} fragment A on Query{one{...B}} fragment B on Query{one{...A}}"

    assert price(circle) == 2
    assert validate(SCHEMA, parse(circle)) != []


def test_what_does_not_exist_costs_one_and_is_left_to_validation():
    assert price("{nothing ...Nothing ... on Nobody{leaf} one{nothing{leaf}}}") == 4


@pytest.mark.report(
    "HarperFast/harper#1291",
    "each alias is resolved, though the answer stays small: a limit of its size sees nothing",
    "each alias is counted",
)
def test_scalars_are_counted_too():
    aliases = " ".join(f"a{n}: leaf" for n in range(100))

    assert price(f"{{many(first: 3) {{{aliases}}}}}") == 1 + 3 * 101


def test_field_with_an_extra_costs_it_each_time():
    assert price("{a: dear ...A} fragment A on Query{b: dear}") == 202


def test_only_the_operation_that_is_asked_for_is_priced():
    both = "query Small{leaf} query Large{many{many{leaf}}}"

    assert price(both, "Small") == 1
    assert price(both, "Large") == 1 + 2 * (1 + 1 + 2 * 2)


def test_sixty_doublings_are_counted_in_one_pass():
    each = (f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(60))

    assert price(f"{{...F0}} {' '.join(each)} fragment F60 on Query{{leaf}}") == 2**60
