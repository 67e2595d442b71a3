"""What is loaded refers to what is there, although no row was asked while it was loaded."""

import pytest
from django.db import IntegrityError, connection, transaction
from flights.models import Flight


@transaction.atomic
def refer_to_nothing(key):
    one = Flight.objects.order_by("id").values("id")[:1]
    Flight.objects.filter(id__in=one).update(**{key: "??"})
    connection.check_constraints()  # a foreign key is asked at the end of the transaction


@pytest.mark.usefixtures("loaded", "db")
@pytest.mark.parametrize("key", ["airline_id", "origin_id", "destination_id"])
def test_flight_that_refers_to_nothing_is_refused_after_the_load(key):
    with pytest.raises(IntegrityError, match=key):
        refer_to_nothing(key)
