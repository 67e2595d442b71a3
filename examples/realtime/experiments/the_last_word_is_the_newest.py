"""Let two desks cross in each of 100 rooms, one held between commit and publish; then empty Redis."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    rest,
    until,
)

from . import (
    PATIENCE_SECONDS,
    all_joined,
    change,
    cut_off,
    displays,
    number,
    pumped,
    rooms,
    socket,
    store,
)

type Connection = psycopg.Connection[Any]

ROOMS, LOST = 100, 20
AT_ONCE = 6  # fewer than `web` has threads: those of them that are held answer nobody
SEQ = "SELECT seq FROM flights_room WHERE name = %s"


class TheLastWordIsTheNewest(Experiment):
    slug = "the-last-word-is-the-newest"
    claim = (
        "In 100 rooms that two desks change at once, every display ends with what was committed last, also "
        "where Redis loses all that it has."
    )
    holds = ("boards",)
    refuted = ("channels",)
    older = Series("displays that show the older gate")
    told = Series("changes heard")
    chart = Chart(older, "displays that show the older gate", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with rooms(stack, ROOMS) as names:
            addresses = [socket(stack, variant, name) for name in names]
            with displays(addresses) as made:
                all_joined(made)
                rest(0.5)
                yield clock_starts()
                with (
                    ThreadPoolExecutor(AT_ONCE) as pool,
                    psycopg.connect(stack.services["postgres"], autocommit=True) as connection,
                ):
                    cross = partial(self.cross, stack, variant, connection)
                    for place, _ in enumerate(pool.map(cross, names), 1):
                        if place % 20 == 0:
                            yield self.older(sum(each.twice > 0 for each in made))
                until(lambda: all(each.heard == 2 for each in made), PATIENCE_SECONDS)
                older = sum(each.gate != "B2" for each in made)
                yield self.older(older)
                yield self.told(sum(each.heard for each in made))
                self.lose(stack, variant, names[:LOST])
                lost = made[:LOST]
                until(lambda: all(each.gate == "C3" for each in lost), PATIENCE_SECONDS)
                yield self.older(older + sum(each.gate != "C3" for each in lost))

    def lose(self, stack: Stack, variant: str, names: list[str]) -> None:
        """Set gate C3, and empty Redis before anybody has read of it."""
        client = store(stack)
        with stack.paused("live"):
            for name in names:
                change(stack, variant, name, "C3")
            pumped(stack)
            rooms_made = client.get("drill:rooms")
            client.flushdb()
            client.set("drill:rooms", rooms_made)
            cut_off(client)

    def cross(self, stack: Stack, variant: str, connection: Connection, room: str) -> None:
        """Set gate A1, and while that is committed and not published, B2."""
        client, key = store(stack), f"drill:publishing:{room}"
        client.set(key, 1)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(change, stack, variant, room, "A1")
            try:
                if not until(lambda: number(connection, SEQ, room) == 1, PATIENCE_SECONDS, 0.01):
                    raise ExperimentError("the first change was not committed")
                change(stack, variant, room, "B2")
            finally:
                client.delete(key)
            first.result()

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} of 100 displays show the older gate"
        older = Verdict.at_most(samples.last(self.older), 0, words)
        if not older.holds:
            return older
        samples.wait_for_end()
        words = "{measured} of {bound} changes heard"
        return older.provided(Verdict.exactly(samples.last(self.told), 2 * ROOMS, words))
