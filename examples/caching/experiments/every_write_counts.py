"""Writes that send no signal: how long each is not served."""

import time
from collections.abc import Callable, Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    rest,
)

from . import Database, Operator, page, url, version

MOST_SECONDS = 0.5

ROW = "UPDATE flights_airport SET city = city || '!' WHERE code = %s"
OTHER_TABLE = "UPDATE flights_departure SET minute = minute + 1 WHERE airport_id = %s"


class EveryWriteCounts(Experiment):
    slug = "every-write-counts"
    claim = (
        "A write that passes by the model (QuerySet.update, raw SQL of another client, a row of "
        "another table) is served within 500 ms."
    )
    holds = ("layered",)
    refuted = ("signals",)
    missed = Series("writes not served within 500 ms")
    served = Series("ms until a write was served")
    chart = Chart(missed, "writes not served within 500 ms", x="writes", bound=0)
    parameters = (Parameter("airports", 5, 1, 20, "airports"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        missed = writes = 0
        with Database(stack) as database, Operator(stack) as operator:
            ways: tuple[Callable[[str], object], ...] = (
                lambda code: operator.edit(code, "update"),
                lambda code: database.execute(ROW, code),
                lambda code: database.execute(OTHER_TABLE, code),
            )
            targets = {
                code: url(stack, variant, code) for code in database.codes(int(params["airports"]))
            }
            for write in ways:
                before = {code: version(page(target)) for code, target in targets.items()}
                written = {}
                for code in targets:
                    write(code)
                    written[code] = time.monotonic()
                while written:
                    for code, at in list(written.items()):
                        served = version(page(targets[code])) > before[code]
                        seconds = time.monotonic() - at
                        if served or seconds > MOST_SECONDS:
                            del written[code]
                            writes, missed = writes + 1, missed + (seconds > MOST_SECONDS)
                            yield self.served(1000 * seconds, x=writes)
                            yield self.missed(missed, x=writes)
                    rest(0.005)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        missed, served = samples.last(self.missed), samples.values(self.served)
        words = f"{{measured}} of {len(served)} writes not served within 500 ms"
        if not missed:
            words += f", the slowest after {max(served):.0f} ms"
        return Verdict.at_most(missed, 0, words)
