"""Holders that are slower than their leases, and one that is killed."""

import time
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
)

from . import FROM_REDIS, Database, overtaken, page, send, url, version

LEASE_SECONDS = 2.0
SPARE_SECONDS = 0.5
OTHERS = 12  # pages that nobody held, from processes that are as new
HOLDERS = 4  # each has a thread, and a permit to compute, even if one process gets all of them


class TheHolderMayDie(Experiment):
    slug = "the-holder-may-die"
    claim = (
        "If the process that computes is killed, the next reader has the page within the lease, 0.5 s and "
        "what a page takes that nobody held; if it is slower than its lease, its late result is never served."
    )
    holds = ("layered",)
    refuted = ("lock",)
    late = Series("late results that were served")
    waited = Series("s beyond the lease")
    chart = Chart(late, "late results served", x="holders slower than their lease", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        with Database(stack) as database:
            killed, *codes = database.codes(1 + HOLDERS + OTHERS)
            slow, others = codes[:HOLDERS], [url(stack, variant, code) for code in codes[HOLDERS:]]
            targets = {code: url(stack, variant, code) for code in slow}
            current = overtaken(stack, database, targets, LEASE_SECONDS + 0.3)
            late = 0
            for number, (code, target) in enumerate(targets.items(), 1):
                late += version(page(target, FROM_REDIS)) < current[code]
                yield self.late(late, x=number)
            if not late:  # else it is refuted, whatever a death would do
                target = url(stack, variant, killed)
                yield self.waited(self._killed(stack, database, target, others))

    @staticmethod
    def _killed(stack: Stack, database: Database, target: str, others: list[str]) -> float:
        """Return how long after the lease of a killed holder the next reader waits for nothing."""
        with database.barrier():
            holder = send(target)
            database.wait_blocked()
            began = time.monotonic()
            stack.kill("web")
        holder.close()
        stack.start("web")
        stack.wait_ready()
        slowest = max(page(each).seconds for each in others)
        due = max(time.monotonic(), began + LEASE_SECONDS)
        page(target)
        return max(0, time.monotonic() - due - slowest)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {HOLDERS} late results were served"
        late = Verdict.at_most(samples.last(self.late), 0, words)
        if not late.holds:
            return late
        return late & Verdict.at_most(
            samples.last(self.waited),
            SPARE_SECONDS,
            "the next reader waited {measured:.2f} s past the lease for nothing, {bound} s are allowed",
        )
