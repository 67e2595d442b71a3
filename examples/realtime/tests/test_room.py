"""One room: whoever listens hears every change once and in order, or the state and what came after it."""

import asyncio

import pytest
from boards.hub import HELD, Hub
from boards.messages import NO_ROOM, REVOKED, Message, Position, Refused
from hypothesis import given
from hypothesis import strategies as st


def entry(seq: int, epoch: str = "00000000", room: str = "JFK") -> dict[str, str]:
    return {"room": room, "epoch": epoch, "seq": str(seq), "body": f"change {seq}"}


def at(seq: int, epoch: str = "00000000") -> Position:
    return Position(epoch, seq)


class Database:
    """A room's state, and how often it was read."""

    def __init__(self, seq: int = 0, epoch: str = "00000000") -> None:
        self.position = Position(epoch, seq)
        self.reads = 0

    async def read(self, name: str) -> Message | None:
        self.reads += 1
        await asyncio.sleep(0)
        return Message(self.position, f"state {self.position.seq}") if name == "JFK" else None


async def heard(listener) -> list[str]:
    return [each.text for each in await asyncio.wait_for(listener.take(), 5)]


def run(test) -> None:
    asyncio.run(test)


def test_a_room_that_does_not_exist_is_refused_and_not_kept():
    async def test():
        hub = Hub(Database().read)
        listener = hub.join("XXX", None)
        with pytest.raises(Refused) as refused:
            await listener.take()
        hub.leave(listener)
        assert refused.value.end == NO_ROOM
        assert hub.rooms == {}

    run(test())


def test_who_comes_back_hears_what_was_missed_and_no_state():
    async def test():
        database = Database(3)
        hub = Hub(database.read)
        for seq in (1, 2, 3):
            hub.tell(entry(seq))
        assert await heard(hub.join("JFK", at(1))) == ["change 2", "change 3"]
        assert database.reads == 0

    run(test())


@pytest.mark.parametrize("position", [None, at(7, "ffffffff"), at(1)])
def test_without_a_position_that_the_ring_reaches_the_state_comes_first(position):
    async def test():
        hub = Hub(Database(7).read)
        for seq in (6, 7, 8):
            hub.tell(entry(seq))
        assert await heard(hub.join("JFK", position)) == ["state 7", "change 8"]

    run(test())


@pytest.mark.report(
    "python-websockets/websockets#166",
    "a message that comes while a receiver's timeout cancels it is taken by nobody",
    "a listener whose silence ends while a state is read for it looks again",
)
def test_who_is_cancelled_while_a_state_is_read_hears_it_afterwards():
    async def test():
        hub = Hub(Database(7).read)
        listener = hub.join("JFK", None)
        taking = asyncio.ensure_future(listener.take())
        while not hub.rooms["JFK"]._reading:
            await asyncio.sleep(0)
        taking.cancel()
        assert await heard(listener) == ["state 7"]

    run(test())


def test_a_hundred_who_join_at_once_read_the_state_once():
    async def test():
        database = Database()
        hub = Hub(database.read)
        listeners = [hub.join("JFK", None) for _ in range(100)]
        assert await asyncio.gather(*map(heard, listeners)) == [["state 0"]] * 100
        assert database.reads == 1

    run(test())


def test_what_is_told_twice_takes_nothing_away():
    async def test():
        database = Database()
        hub = Hub(database.read)
        for seq in (1, 2, 3, 2, 3):
            hub.tell(entry(seq))
        assert await heard(hub.join("JFK", at(0))) == ["change 1", "change 2", "change 3"]

    run(test())


def test_who_is_behind_in_a_quiet_room_hears_the_state():
    async def test():
        hub = Hub(Database(7).read)
        first = hub.join("JFK", None)
        assert await heard(first) == ["state 7"]
        assert await heard(hub.join("JFK", at(5))) == ["state 7"]

    run(test())


def test_a_state_that_many_changes_came_after_is_read_again():
    async def test():
        database = Database()
        hub = Hub(database.read)
        await heard(hub.join("JFK", None))
        for seq in range(1, 61):
            hub.tell(entry(seq))
        database.position = at(60)
        assert await heard(hub.join("JFK", None)) == ["state 60"]
        assert await heard(hub.join("JFK", None)) == ["state 60"]
        assert database.reads == 2

    run(test())


def test_who_is_ahead_of_this_process_waits_for_it():
    """Another process has told it more: this one is behind, and must not tell again."""

    async def test():
        hub = Hub(Database().read)
        hub.tell(entry(1))
        listener = hub.join("JFK", at(3))
        taking = asyncio.create_task(heard(listener))
        for seq in (2, 3, 4):
            await asyncio.sleep(0)
            hub.tell(entry(seq))
        assert await taking == ["change 4"]

    run(test())


def test_a_change_that_was_lost_on_the_way_is_seen_by_its_number():
    async def test():
        database = Database()
        hub = Hub(database.read)
        hub.tell(entry(1))
        listener = hub.join("JFK", at(1))
        database.position = at(3)
        hub.tell(entry(3))  # 2 was lost
        assert await heard(listener) == ["state 3"]

    run(test())


def test_a_ring_of_another_count_gives_way_to_the_database():
    async def test():
        database = Database(5, "22222222")
        hub = Hub(database.read)
        hub.tell(entry(900, "11111111"))
        listener = hub.join("JFK", None)
        assert await heard(listener) == ["state 5"]
        hub.tell(entry(6, "22222222"))
        assert await heard(listener) == ["change 6"]

    run(test())


def test_a_listener_that_reads_nothing_keeps_nothing_and_later_begins_with_the_state():
    async def test():
        database = Database()
        hub = Hub(database.read)
        listener = hub.join("JFK", at(0))
        for seq in range(1, HELD + 11):
            hub.tell(entry(seq))
        database.position = at(HELD + 10)
        assert len(hub.rooms["JFK"].ring) == HELD
        assert await heard(listener) == [f"state {HELD + 10}"]

    run(test())


def test_rooms_without_listeners_go_with_their_changes():
    async def test():
        hub = Hub(Database().read)
        hub.tell(entry(1, room="LGA"))
        for seq in range(1, HELD + 1):
            hub.tell(entry(seq))
        assert set(hub.rooms) == {"JFK"}

    run(test())


def test_a_session_that_ends_ends_its_listeners_and_no_others():
    async def test():
        hub = Hub(Database().read)
        mine, other, brief = (hub.join("JFK", None, each, 60) for each in ("a", "b", "c"))
        hub.leave(brief)
        hub.tell({"room": "", "epoch": "", "seq": "0", "body": "a"})
        assert (mine.end, other.end, brief.end) == (REVOKED, None, None)

    run(test())


def test_who_comes_to_a_process_that_ends_is_sent_away_with_a_time_of_its_own():
    async def test():
        hub = Hub(Database().read)
        listeners = [hub.join("JFK", None) for _ in range(3)]
        hub.drain()
        listeners.append(hub.join("JFK", None))
        ends = [each.end for each in listeners]
        assert {end.code for end in ends} == {1012}
        assert len({end.retry_ms for end in ends}) == 4

    run(test())


@given(
    st.lists(
        st.sampled_from(["change", "twice", "lose", "listen", "resume", "lost stream"]), max_size=40
    )
)
def test_whatever_happens_everybody_ends_with_the_newest(steps):
    async def test():
        database = Database()
        hub = Hub(database.read)
        listeners = []
        for step in [*steps, "change"]:
            seq = database.position.seq
            if step in ("change", "lose"):
                database.position = at(seq + 1)
            if step in ("change", "twice") and database.position.seq:
                hub.tell(entry(database.position.seq))
            if step == "listen":
                listeners.append(hub.join("JFK", None))
            if step == "resume" and listeners:
                old = listeners.pop(0)
                hub.leave(old)
                listeners.append(hub.join("JFK", old.position))
            if step == "lost stream":
                hub.doubt()
            for listener in listeners[::2]:  # every other one reads all the time
                await said(listener)
        for listener in listeners:
            await said(listener)
            assert listener.position == database.position

    async def said(listener):
        before = listener.position
        taking = asyncio.ensure_future(listener.take())
        for _ in range(10):  # as long as anything goes on; nobody waits for another process
            await asyncio.sleep(0)
        if taking.done():
            follows(before, taking.result())
        taking.cancel()

    def follows(before, messages):
        """A change follows what was heard; a state may follow anything that is older."""
        for message in messages:
            if message.text.startswith("change"):
                assert before == at(message.position.seq - 1)
            assert before is None or message.position >= before
            before = message.position

    run(test())
