"""How many computations are in the database at a time, whatever Redis does; and one cache for a process."""

import threading
from contextlib import suppress
from functools import cache as kept

import pytest
from flights import configured
from flights.gate import Gate, Overloaded


def test_no_more_are_in_at_a_time_than_may(wait_until):
    gate, go_on, most, now = Gate(2, patience_seconds=0.2), threading.Event(), [0], [0]

    def compute():
        now[0] += 1
        most[0] = max(most[0], now[0])
        go_on.wait(60)
        now[0] -= 1

    holders = [threading.Thread(target=gate.run, args=[compute]) for _ in range(2)]
    for holder in holders:
        holder.start()
    wait_until(lambda: now == [2])
    with pytest.raises(Overloaded):
        gate.run(compute)
    go_on.set()
    for holder in holders:
        holder.join()

    assert most == [2]
    assert gate.run(lambda: "free again") == "free again"


def test_failed_computation_gives_its_permit_back():
    gate = Gate(1, patience_seconds=0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            gate.run(lambda: 1 / 0)


def test_computation_within_a_computation_needs_no_permit_of_its_own():
    gate, together, answers = Gate(2, patience_seconds=3), threading.Barrier(2), []

    def outer():
        together.wait(60)
        return gate.run(lambda: "a fragment of the page")

    readers = [threading.Thread(target=lambda: answers.append(gate.run(outer))) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert answers == ["a fragment of the page"] * 2


def test_crowd_that_comes_first_gets_one_cache(monkeypatch):
    crowd, two, caches = threading.Barrier(8), threading.Barrier(2), set()

    def build():
        with suppress(threading.BrokenBarrierError):
            two.wait(0.2)  # for somebody else who builds one
        return object()

    def ask():
        crowd.wait(60)
        caches.add(configured.cache())

    monkeypatch.setattr(configured, "built", kept(build))
    readers = [threading.Thread(target=ask) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert len(caches) == 1
