"""Forth, back and forth again, with the same schema and the same rows."""

import json
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


class EveryMigrationGoesBack(Experiment):
    slug = "every-migration-goes-back"
    claim = (
        "Each migration goes forth, back and forth again on three months of real delays with the same "
        "columns, indexes, constraints, triggers and row checksums as before."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    differ = Series("migrations")
    migrations = Series("migrations")
    chart = Chart(differ, "migrations that do not come back", x="migrations")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        steps = json.loads(stack.manage("rehearse", variant))
        differ = 0
        for number, step in enumerate(steps, 1):
            differ += bool(step["back"] or step["again"])
            yield self.migrations(number)
            yield self.differ(differ, x=number)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        count = samples.last(self.migrations)
        words = (
            f"{{measured}} of {count:.0f} migrations do not come back to the same rows and schema"
        )
        return Verdict.at_most(samples.last(self.differ), 0, words)
