"""Each migration forth, back and forth again, on real rows."""

import json
from collections.abc import Iterator

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

from . import unsynced


class EveryMigrationGoesBack(Experiment):
    slug = "every-migration-goes-back"
    claim = (
        "Each migration goes forth, back and forth again on three months of real delays with the same "
        "columns, indexes, constraints, triggers and row checksums as before."
    )
    holds = ("expand_contract",)
    refuted = ("in_place",)
    differ = Series("migrations that do not come back to the same rows and schema")
    lost = Series("rows that do not come back as they were")
    chart = Chart(lost, "rows that do not come back", x="migrations", bound=0)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        differ = lost = 0
        with unsynced(stack):
            steps = json.loads(stack.manage("rehearse", variant))
        for place, step in enumerate(steps, 1):
            differ += bool(step["back"] or step["again"])
            lost += step["lost"]
            yield self.differ(differ, x=place)
            yield self.lost(lost, x=place)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        made = len(samples.of(self.differ))
        lost = Verdict.at_most(
            samples.last(self.lost), 0, "{measured} rows do not come back as they were"
        )
        words = f"{{measured}} of {made} migrations do not come back to the same rows and schema"
        return lost & Verdict.at_most(samples.last(self.differ), 0, words)
