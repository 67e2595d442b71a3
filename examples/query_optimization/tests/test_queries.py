"""Every list of every variant, found from the service's own index: same bytes, fixed numbers of queries."""

import pytest
from django.core.exceptions import FieldFetchBlocked
from flights.lists import LISTS
from queries import optimized
from queries.variants import VARIANTS

FIXED = {"board": 1, "planes": 2, "delays": 1, "airports": 1, "pages": 1}  # queries of the solution
GROWING = {("naive", "board"), ("naive", "planes"), ("naive", "delays"), ("fetch_peers", "planes")}
LISTED = [each for each in LISTS if each.rows]


def path(variant, each, rows):
    return f"/api/{variant}/{each.name}/?{each.example}&{each.rows}={rows}"


@pytest.mark.parametrize("each", LISTED, ids=lambda each: each.name)
@pytest.mark.parametrize("variant", ["eager", "optimized"])
def test_number_of_queries_is_the_same_for_5_50_and_500_rows(site, variant, each):
    numbers = [site.queries(path(variant, each, rows))[1] for rows in (5, 50, 500)]

    assert len(set(numbers)) == 1
    if variant == "optimized":
        assert numbers[0] == FIXED[each.name]


@pytest.mark.parametrize(("variant", "name"), sorted(GROWING))
def test_gate_sees_one_plus_n(site, variant, name):
    each = next(each for each in LISTED if each.name == name)

    few, many = (site.queries(path(variant, each, rows))[1] for rows in (5, 50))

    assert many > few


@pytest.mark.parametrize(
    "each", [each for each in LISTED if each.name != "pages"], ids=lambda each: each.name
)
def test_every_variant_answers_with_the_same_bytes(site, each):
    answers = {name: site.get(path(name, each, 50)).content for name in VARIANTS}

    assert set(answers.values()) == {answers["naive"]}
    assert len(answers["naive"]) > 1_000


def test_every_variant_shows_the_same_first_page(site):
    pages = [site.get(f"/api/{name}/pages/?size=50").json()["flights"] for name in VARIANTS]

    assert all(page == pages[0] for page in pages)


@pytest.mark.usefixtures("flights")
def test_relation_that_was_not_asked_for_is_an_error():
    flight = optimized.flights().first()

    with pytest.raises(FieldFetchBlocked):
        flight.airline  # noqa: B018 -- to look is the test


def test_fan_out_counts_a_flight_once_for_each_wet_hour(site):
    naive, right = (
        {
            row["airport"]: row
            for row in site.get(f"/api/{name}/report/?month=2013-07").json()["airports"]
        }
        for name in ("naive", "optimized")
    )

    for airport, row in right.items():
        assert naive[airport]["flights"] == row["flights"] * row["wet_hours"]


@pytest.mark.usefixtures("flights")
@pytest.mark.parametrize("text", ["%", "_", "100%", "in\\", "O'Hare"])
def test_search_takes_its_text_literally(text):
    found = list(optimized.airports(text, 500))

    assert all(text.lower() in airport.name.lower() for airport in found)


@pytest.mark.usefixtures("flights")
def test_search_finds_what_icontains_finds():
    from queries import naive

    for text in ("o'hare", "SÃO", "intern", "field"):
        assert [a.code for a in optimized.airports(text, 500)] == [
            a.code for a in naive.airports(text, 500)
        ]
