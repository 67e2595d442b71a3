"""From the commit to the stream, with the real PostgreSQL and Redis."""

import threading

import pytest
from boards.pump import pump
from django.db import connection, transaction
from flights import rooms
from flights.configured import connect, redis

CHANGE = {"flight": "AA1", "gate": "A1", "remark": ""}


def told(stream: str) -> list[tuple[str, int]]:
    return [(fields["room"], int(fields["seq"])) for _, fields in redis.xrange(stream)]


@pytest.fixture
def pumping(outside, stream):  # noqa: ARG001 -- set up before
    with connect() as connection:
        connection.execute("DELETE FROM flights_outbox")
        yield lambda: pump(connection, redis, stream, 1000)


def test_what_is_rolled_back_is_not_told_and_takes_no_number(room, stream, pumping):
    with transaction.atomic():
        rooms.change(room.name, CHANGE, outbox=True)
        transaction.set_rollback(True)
    rooms.change(room.name, CHANGE, outbox=True)

    assert pumping() == 1
    assert told(stream) == [(room.name, 1)]


def test_a_flight_that_is_not_there_takes_no_number(room, stream, pumping):
    assert rooms.change(room.name, {**CHANGE, "flight": "XX9"}, outbox=True) is None
    assert rooms.change("ZZZ", CHANGE, outbox=True) is None
    rooms.change(room.name, CHANGE, outbox=True)

    pumping()
    assert told(stream) == [(room.name, 1)]


@pytest.mark.report(
    "openclaw/clickclack#189",
    "a later cursor was committed first, and who resumed from it missed the earlier one for ever",
    "the number is taken under the lock of the room's row: the second change waits for the first",
)
@pytest.mark.report(
    "evoila/meho#3206",
    "a number of a BIGSERIAL is given out before the commit, and a poller skips what commits late",
    "numbers of one room are in the order of commits; the pump takes rows away instead of a cursor",
)
def test_a_change_that_commits_late_is_not_overtaken_in_its_room(room, another, stream, pumping):
    first = {**CHANGE, "gate": "B2", "room": room.name, "outbox": True}
    another.execute(rooms.CHANGE.encode(), first)  # open: its number is taken

    def change_too() -> None:
        rooms.change(room.name, CHANGE, outbox=True)
        connection.close()  # of this thread

    second = threading.Thread(target=change_too)
    second.start()
    assert pumping() == 0

    another.commit()
    second.join(20)
    while len(told(stream)) < 2:
        pumping()
    assert told(stream) == [(room.name, 1), (room.name, 2)]


def test_a_pump_that_dies_before_its_commit_tells_again(room, stream, pumping):
    rooms.change(room.name, CHANGE, outbox=True)
    with connect() as dying, dying.transaction(force_rollback=True):
        pump(dying, redis, stream, 1000)

    pumping()
    assert told(stream) == [(room.name, 1), (room.name, 1)]  # a room leaves the second one out


def test_a_redis_that_refuses_leaves_the_outbox_as_it_is(room, stream, pumping):
    rooms.change(room.name, CHANGE, outbox=True)
    redis.set(stream, "no stream")
    with pytest.raises(Exception, match="WRONGTYPE"):
        pumping()

    redis.delete(stream)
    assert pumping() == 1


def test_the_end_of_a_session_is_told_by_the_same_outbox(booking, stream, pumping):
    session = booking.session_set.create(expires_at="2100-01-01T00:00Z")

    assert rooms.revoke(session.id)
    assert not rooms.revoke(session.id)
    assert pumping() == 1
    assert redis.xrange(stream)[0][1]["body"] == str(session.id)
