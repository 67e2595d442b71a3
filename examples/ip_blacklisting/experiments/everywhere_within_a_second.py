"""A ban and its end reach every process, also while the connections that tell of it are cut."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
)

from . import (
    PROCESSES,
    Operator,
    processes_that,
    refused,
    sent_by,
    served,
    some_address,
    still_late,
    url,
)

LISTENING = {"xread", "subscribe"}  # commands, as CLIENT LIST names them


class EverywhereWithinASecond(Experiment):
    """Ban and lift under a client whom every process has just served; in every second round, cut."""

    slug = "everywhere-within-a-second"
    claim = (
        "Each of 4 server processes obeys a ban, and its end, within 1 s after it was acknowledged, also "
        "while the connections on which they listen to Redis are cut 20 times."
    )
    holds = ("shield",)
    refuted = ("pubsub",)
    seen = Series("seconds after the acknowledgement")
    late = Series("processes later than 1 s")
    # Not the seconds: who never sees it has none, and the ways that lose most would look like the fastest.
    chart = Chart(late, "processes later than 1 s", bound=0)
    parameters = (Parameter("rounds", 8, 4, 100, "bans"),)

    DEADLINE_SECONDS = 1.0
    ENOUGH_LATE = PROCESSES

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        operator = Operator(stack, variant)
        target = url(stack, variant)
        yield clock_starts()
        late = 0
        for number in range(int(params["rounds"])):
            address = some_address()
            for _ in processes_that(served, target, sent_by(address), 10):
                pass
            for change, accept in ((operator.ban, refused), (operator.unban, served)):
                with cutting(stack.services["redis"], 20 * (number % 2)):
                    change(address)
                known = time.monotonic()
                in_time: set[str] = set()
                for process, answer in processes_that(
                    accept, target, sent_by(address), self.DEADLINE_SECONDS
                ):
                    in_time.add(process)
                    yield self.seen(answer.received - known)
                late += still_late(accept, target, sent_by(address), in_time)
                yield self.late(late)
                if late >= self.ENOUGH_LATE:
                    return

    def judge(self, samples: Samples, params: Params) -> Verdict:
        late, seen = samples.last(self.late), samples.values(self.seen)
        words = f"{{measured}} of {len(seen) + late:.0f} processes later than 1 s"
        if seen:
            words += f", the slowest other after {max(seen) * 1000:.0f} ms"
        return Verdict.at_most(late, 0, words)


@contextmanager
def cutting(redis: str, times: int) -> Iterator[None]:
    """Cut the connections on which processes listen, so often at least; first of all before the block."""
    over, begun = threading.Event(), threading.Event()

    def cut() -> None:
        with Redis.from_url(redis) as store:
            done = 0
            while done < times or not over.is_set():
                for client in store.client_list():
                    if client["cmd"] in LISTENING:
                        done += store.client_kill_filter(_id=client["id"])
                if done >= PROCESSES:
                    begun.set()
                time.sleep(0.001)

    thread = threading.Thread(target=cut, daemon=True)
    if times:
        thread.start()
        if not begun.wait(10):
            over.set()
            raise ExperimentError("nobody listens to Redis")
    try:
        yield
    finally:
        over.set()
        if times:
            thread.join(10)
