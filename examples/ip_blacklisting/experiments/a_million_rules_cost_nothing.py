"""What a request, a process and its start pay for a list of a million networks."""

import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from redis import Redis

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    UnexpectedAnswer,
    Verdict,
    ask,
    percentile,
    until,
    volley,
)

from . import (
    BATCHES,
    IDLE,
    PROCESSES,
    Operator,
    commands,
    many_networks,
    sent_by,
    served,
    start_again,
    stranger,
    url,
)


class AMillionRulesCostNothing(Experiment):
    """A feed of 10,000 networks, then a million more; then the processes are killed and start again."""

    slug = "a-million-rules-cost-nothing"
    claim = (
        "With 1,000,000 networks a request pays no query, no call of Redis, at most 25 microseconds of a "
        "processor and 5 times what it pays with 10,000; a process pays at most 160 MB and 3 s of start-up."
    )
    holds = ("shield",)
    refuted = ("leftmost", "blocklist_package")
    guard = Series("microseconds of a processor in the guard, median of 32 requests at a time")
    alone = Series("the same, median of 250 requests of a process that answers one at a time")
    queries = Series("queries a request")
    redis = Series("commands a request")
    memory = Series("MB that the largest process grew")
    boot = Series("seconds until the list was loaded")
    chart = Chart(alone, "µs in the guard", mark="points", bound=25, logarithmic=True)
    parameters = (Parameter("networks", 1_000_000, 50_000, 3_000_000, "networks"),)

    CEILING_MICROSECONDS = 25
    REQUESTS = 2_000
    BATCHES = 8
    ENOUGH_REQUESTS = 200  # to count queries
    FEW = 10_000

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        if variant != "shield":  # what a request pays does not depend on a list
            yield from self._pays(stack, variant, self.ENOUGH_REQUESTS)
            yield from self._alone(stack, variant)
            return
        operator = Operator(stack, variant)
        try:
            operator.feed("few", "\n".join(many_networks(self.FEW)))
            yield from self._pays(stack, variant, self.REQUESTS)
            before = states(stack, lambda state: state["networks"] >= self.FEW)
            operator.feed("many", "\n".join(many_networks(int(params["networks"]), 7)))
            after = states(stack, lambda state: state["networks"] >= params["networks"])
            yield from self._pays(stack, variant, self.REQUESTS)
            yield from self._alone(stack, variant)
            grown = max(
                after[process]["resident_bytes"] - before[process]["resident_bytes"]
                for process in after
            )
            yield self.memory(grown / 1e6)
            start_again(stack)
            again = states(stack, lambda state: state["networks"] >= params["networks"])
            yield self.boot(max(state["boot_seconds"] for state in again.values()))
        finally:
            operator.drop_feed("few")
            operator.drop_feed("many")

    def _pays(self, stack: Stack, variant: str, count: int) -> Iterator[Sample]:
        """Ask as strangers, whom no network contains: every length is probed."""
        target = url(stack, variant)
        requests = [Request(target, sent_by(stranger())) for _ in range(count)]
        for answer in volley(requests[: count // 4], processes=1, connections=32):
            served(answer)  # connections are opened, code is warm
        with Redis.from_url(stack.services["redis"]) as store:
            before = commands(store, IDLE | BATCHES)
            spent, queries = [], 0
            # Several at once: a processor that idles between requests has to fetch the code again.
            for answer in volley(requests, processes=1, connections=32):
                served(answer)
                guard, sql = timing(answer)
                spent.append(guard)
                queries += sql
            calls = commands(store, IDLE | BATCHES) - before
        yield self.queries(queries / count)
        yield self.redis(calls / count)
        yield self.guard(percentile(spent, 0.5) * 1000)

    def _alone(self, stack: Stack, variant: str) -> Iterator[Sample]:
        """Ask in a process of its own: threads that share a processor drive each other from its caches."""
        path = urlsplit(url(stack, variant)).path
        for line in stack.manage("cost", path, "--batches", str(self.BATCHES)).splitlines():
            yield self.alone(json.loads(line))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        paid = [max(samples.values(each), default=0) for each in (self.queries, self.redis)]
        calls = Verdict.at_most(sum(paid), 0, "{measured} queries and calls a request")
        if not calls.holds:
            return calls
        samples.wait_for_end()
        # The least, as `timeit` advises: what is more than that is what other programs cost.
        cpu = Verdict.at_most(
            min(samples.values(self.alone)),
            self.CEILING_MICROSECONDS,
            "{measured} of {bound} µs of a processor a request",
        )
        few, *_, many = samples.values(self.guard)
        growth = Verdict.at_most(
            max(1.0, many / few),
            5,
            f"{{measured}} times of {self.FEW:,} networks, {{bound}} allowed",
        )
        memory = Verdict.at_most(
            samples.last(self.memory), 160, "{measured} of {bound} MB a process"
        )
        start = Verdict.at_most(samples.last(self.boot), 3, "{measured} of {bound} s to start")
        return calls & cpu & growth & memory & start


def timing(answer: Answer) -> tuple[float, int]:
    """Return the processor's milliseconds in the guard and its queries, as Server-Timing has them."""
    found = re.search(r'cpu;dur=([0-9.]+), sql;desc="(\d+)"', answer.headers["server-timing"])
    if not found:
        raise UnexpectedAnswer(f"no timing: {answer.headers}")
    return float(found[1]), int(found[2])


def states(stack: Stack, accept: Callable[[dict[str, float]], bool]) -> dict[str, dict[str, float]]:
    """Return what each process says of itself, once all of them are as wanted."""
    found: dict[str, dict[str, float]] = {}
    headers = {"Authorization": f"Bearer {stack.staff_token}"}

    def all_have_it() -> bool:
        state = json.loads(ask(url(stack, "shield", "state/"), headers).body)
        if accept(state):
            found[state["process"]] = state
        return len(found) == PROCESSES

    if not until(all_have_it, 30, 0):
        raise ExperimentError(f"{len(found)} of {PROCESSES} processes have the list after 30 s")
    return found
