"""The file of the days, and what a release makes of it."""

import pytest
from reports.loading import counted, load
from reports.models import Day


def test_file_has_every_flight_of_the_year():
    days = counted()

    assert sum(day.flights for day in days) == 336_776
    assert sum(day.on_time for day in days) == 247_246
    assert all(0 <= day.on_time <= day.flights for day in days)


@pytest.mark.django_db
def test_second_release_loads_nothing_twice():
    assert [load(), load()] == [5_432, 5_432]
    assert Day.objects.count() == 5_432
