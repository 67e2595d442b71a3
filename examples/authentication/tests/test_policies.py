"""The policies themselves, as the role of the service meets them."""

import pytest
from django.contrib.auth import get_user_model
from django.db import ProgrammingError, connection, transaction
from flights.models import Booking, Passenger
from sessions.access import Refused
from sessions.scope import enter, is_denied


def seen_by(begin, name):
    """Return the bookings that a loaded user sees: of whom, on whose flights."""
    pk = get_user_model().objects.get(username=name).pk
    with transaction.atomic():
        enter(connection, begin(pk).claims)
        rows = list(Booking.objects.values_list("passenger__user__username", "flight__airline"))
        return rows, Passenger.objects.count()


def test_a_passenger_sees_their_own(begin):
    rows, passengers = seen_by(begin, "passenger-1")

    assert len(rows) == 10
    assert {name for name, _ in rows} == {"passenger-1"}
    assert passengers == 1


def test_a_desk_sees_its_flights_and_who_is_on_them(begin):
    rows, passengers = seen_by(begin, "desk-UA")

    assert len(rows) == 15
    assert {airline for _, airline in rows} == {"UA"}
    assert passengers == 3


def test_staff_see_all(begin):
    assert len(seen_by(begin, "staff")[0]) == Booking.objects.using("owner").count() >= 30


@pytest.mark.report(
    "Arvo-AI/aurora#259",
    "policies let everything through where the setting is empty, so a forgotten SET shows all",
    "unset, or '' after a transaction that set it, is nobody",
)
def test_nobody_sees_nothing_before_and_after_somebody(connection, begin):
    assert not Booking.objects.exists()
    seen_by(begin, "staff")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.user', true)")
        assert cursor.fetchone() == ("",)
    assert not Booking.objects.exists()
    assert not Passenger.objects.exists()


@pytest.mark.report(
    "Cyoda/cyoda-go#363",
    "policies are enabled and not forced: the owner of the tables, as who the service connects, sees all",
    "both tables force them, and the service is a role that owns nothing and is no superuser",
)
def test_policies_concern_the_service(connection):
    with connection.cursor() as cursor:
        cursor.execute("""SELECT bool_and(relrowsecurity AND relforcerowsecurity), count(*) FROM pg_class
            WHERE relname IN ('flights_booking', 'flights_passenger')""")
        assert cursor.fetchone() == (True, 2)
        cursor.execute("""SELECT current_user, rolsuper, rolbypassrls, EXISTS (
            SELECT FROM pg_class WHERE relowner = pg_roles.oid) FROM pg_roles WHERE rolname = current_user""")
        assert cursor.fetchone() == ("flights_api", False, False, False)


def test_what_a_policy_refuses_is_told_from_other_errors(connection):
    booking = Booking.objects.using("owner").first()
    booking.pk, booking.reference = None, "X"
    with pytest.raises(ProgrammingError) as refused, transaction.atomic():
        booking.save(using="default", force_insert=True)
    assert is_denied(refused.value)

    with connection.cursor() as cursor, pytest.raises(ProgrammingError) as broken:
        cursor.execute("SELECT nothing")
    assert not is_denied(broken.value)


def test_who_asks_is_asked_for_in_a_transaction(connection, issued):
    with pytest.raises(RuntimeError, match="no transaction"):
        enter(connection, issued.claims)


def test_a_session_of_somebody_else_is_refused(connection, issued):
    claims = type(issued.claims)(issued.claims.user + 1, issued.claims.session)

    with pytest.raises(Refused), transaction.atomic():
        enter(connection, claims)
