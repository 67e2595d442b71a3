"""Batches against the real database: pages, keys, and whose connection they use."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext
from flights.models import Airport, Booking, Flight
from pricing.loaders import Loaders


def gathered(*asked):
    """Return what the loaders of one request give, and the statements that they took."""

    async def request():
        loaders = Loaders()
        return await asyncio.gather(*(each(loaders) for each in asked))

    with CaptureQueriesContext(
        connection,
    ) as captured:
        found = async_to_sync(request)()
    return found, captured.captured_queries


def page(parent, key, rows):
    return lambda loaders: loaders.page(parent, key, rows)


@pytest.mark.django_db
def test_pages_of_many_parents_and_sizes_are_one_statement_and_each_is_right(loaded):  # noqa: ARG001
    asked = [("JFK", 3), ("EWR", 1), ("JFK", 1), ("LGA", 0), ("XXX", 5)]

    found, statements = gathered(*(page(Flight.origin, *each) for each in asked))

    assert len(statements) == 1
    for (code, rows), flights in zip(asked, found, strict=True):
        assert flights == list(Flight.objects.filter(origin=code).order_by("pk")[:rows])


@pytest.mark.django_db
def test_page_is_read_from_its_index_and_no_further(loaded):  # noqa: ARG001 -- set up before
    _, (statement,) = gathered(*(page(Flight.origin, code, 1) for code in ("JFK", "EWR", "LGA")))

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using flight_departures" in plan
    assert "Seq Scan" not in plan


@pytest.mark.django_db
def test_rows_by_key_are_one_statement_and_one_that_is_missing_is_none(loaded):  # noqa: ARG001
    codes = ["JFK", "nowhere", "LGA", "JFK"]

    found, statements = gathered(
        *(lambda loaders, code=code: loaders.one(Airport, code) for code in codes)
    )

    assert [each and each.pk for each in found] == ["JFK", None, "LGA", "JFK"]
    assert len(statements) == 1


@pytest.mark.django_db
def test_batch_sees_what_the_transaction_of_the_request_has_written(loaded):  # noqa: ARG001
    Booking.objects.filter(pk=1).update(seat="30K")  # the test's transaction: nobody else sees it

    (found,), _ = gathered(lambda loaders: loaders.one(Booking, 1))

    assert found.seat == "30K"


@pytest.mark.django_db
def test_next_request_remembers_nothing(loaded):  # noqa: ARG001 -- set up before
    gathered(lambda loaders: loaders.one(Booking, 1))
    Booking.objects.filter(pk=1).update(seat="31K")

    (found,), _ = gathered(lambda loaders: loaders.one(Booking, 1))

    assert found.seat == "31K"
