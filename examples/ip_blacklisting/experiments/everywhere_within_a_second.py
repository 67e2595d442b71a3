"""A ban and its end reach every process, also while the connections that tell of it are cut."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis import Redis

from nexus.experiment import (
    Answer,
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
    ask,
    clock_starts,
    until,
)

from . import PROCESSES, Operator, processes_that, refused, sent_by, served, some_address, url

LISTENING = {"xread", "subscribe"}  # commands, as CLIENT LIST names them


class EverywhereWithinASecond(Experiment):
    """Ban and lift under a client whom every process has just served; in every second round, cut."""

    slug = "everywhere-within-a-second"
    claim = (
        "A ban refuses in each of 4 server processes within 1 s after it was acknowledged, and its end "
        "serves again, also while the connections on which they listen to Redis are cut 20 times."
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
                late += self._late(accept, target, address, in_time)
                yield self.late(late)
                if late >= self.ENOUGH_LATE:
                    return

    @staticmethod
    def _late(
        accept: Callable[[Answer], bool], target: str, address: str, in_time: set[str]
    ) -> int:
        """Return how many of the other processes do not answer as they have to, now that the second is over.

        Who was not asked meanwhile, because the kernel gave every connection to another, is not late for it.
        """
        late: dict[str, bool] = {}

        def all_told() -> bool:
            answer = ask(target, sent_by(address))
            accepted, process = accept(answer), answer.headers["served-by"]
            if process not in in_time:
                late.setdefault(process, not accepted)
            return len(in_time) + len(late) == PROCESSES

        if len(in_time) < PROCESSES and not until(all_told, 30, 0):
            raise ExperimentError(f"{len(in_time) + len(late)} of {PROCESSES} processes answer")
        return sum(late.values())

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
