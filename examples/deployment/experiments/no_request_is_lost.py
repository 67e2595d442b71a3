"""Three releases, one after the other, while clients ask 300 times a second."""

import threading
from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    rest,
)

from . import Load, begin, replaced

RELEASES = 3


class NoRequestIsLost(Experiment):
    slug = "no-request-is-lost"
    claim = "Of about 2,400 requests during three releases none fails."
    holds = ("blue_green",)
    refuted = ("recreate", "rolling_nginx", "start_then_stop", "reload")
    failed = Series("requests")
    asked = Series("requests")
    switched = Series("releases")
    served = Series("releases")
    chart = Chart(failed, "failed requests", mark="bars")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        first = begin(stack, variant)
        yield clock_starts()
        with Load(stack) as load:
            done: list[int] = []
            work = threading.Thread(target=self._release, args=(stack, done), daemon=True)
            work.start()
            seen = 0
            while work.is_alive() or seen < len(load.got):
                rest(0.05)
                for got in load.got[seen : (seen := len(load.got))]:
                    yield self.failed(got.failed, at=got.received)
                if not work.is_alive():
                    break
        print(
            {m for m in {(g.method, g.kept, g.status, g.error[:40]) for g in load.got}},
            len(load.got),
            sum(g.failed for g in load.got),
            done,
            sorted({g.release for g in load.got}),
            max(g.received - g.due for g in load.got),
        )
        yield self.asked(len(load.got))
        yield self.served(len({got.release for got in load.got if got.release}))

    def _release(self, stack: Stack, done: list[int]) -> None:
        for _ in range(RELEASES):
            o = replaced(stack, "good")
            print(o)
            done.append(o.live)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        return Verdict.at_most(sum(samples.values(self.failed)), 0, "{measured:request} failed")
