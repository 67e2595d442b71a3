"""The fill race in its worst order, again and again; then readers of what was raced, and two writers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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
    Verdict,
    volley,
)

from . import FROM_REDIS, Database, Operator, overtaken, url, version

LOCAL_MS = 250

type Edits = dict[str, list[tuple[float, int]]]
"""Airport -> when each edit was acknowledged, and which version it made."""


class NeverStaleAfterCommit(Experiment):
    slug = "never-stale-after-commit"
    claim = (
        "Once an edit is acknowledged nobody is served an older version through Redis, nor through "
        "another process' local layer 250 ms later: in the fill race, and under two writers."
    )
    holds = ("layered",)
    refuted = ("get_or_set", "dogpile")
    outdated = Series("answers older than the claim allows")
    behind = Series("ms behind the last acknowledged edit")
    local = Series("answers from a local layer")
    chart = Chart(outdated, "answers older than an acknowledged edit", bound=0)
    parameters = (
        Parameter("seconds", 3, 2, 20, "s"),
        Parameter("rate", 200, 40, 400, "reads/s"),
        Parameter("races", 10, 1, 20, "races"),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        edits: Edits = {}
        with Database(stack) as database:
            written = database.codes(2)
            raced = database.codes(int(params["races"]))
            for code in raced:
                made = overtaken(stack, database, {code: url(stack, variant, code)})
                edits[code] = [(time.monotonic(), made[code])]
        # Half of the reads ask for what is written now, and half go past the local layer.
        turns = [(code, headers) for code in written for headers in ({}, FROM_REDIS)]
        chosen = [
            turn
            for number in range(int(params["rate"] * params["seconds"] / 2))
            for turn in (turns[number % 4], (raced[number % len(raced)], turns[number // 2 % 2][1]))
        ]
        requests = [Request(url(stack, variant, code), headers) for code, headers in chosen]
        outdated = local = 0
        with self._written(stack, written, edits):
            for answer in volley(requests, processes=2, connections=4, rate=params["rate"]):
                code, headers = chosen[answer.request]
                behind_ms = self._behind_ms(answer, edits[code])
                outdated += behind_ms > (0 if headers else LOCAL_MS)
                local += answer.headers.get("cache-status", "").endswith("=local")
                yield self.behind(behind_ms, at=answer.received)
                yield self.outdated(outdated, at=answer.received)
                yield self.local(local, at=answer.received)
        if any(len(edits[code]) < params["seconds"] for code in written):
            raise ExperimentError("there were too few edits to read between")

    @staticmethod
    @contextmanager
    def _written(stack: Stack, codes: list[str], edits: Edits) -> Iterator[None]:
        """Let one writer edit each airport until the end of the block."""
        over = threading.Event()

        def write(code: str) -> None:
            # Whoever reads counts the edits, and tells that there were too few.
            with suppress(ExperimentError), Operator(stack) as operator:
                while not over.wait(0.15):
                    made = operator.edit(code)
                    edits[code].append((time.monotonic(), made))

        edits |= {code: [] for code in codes}
        writers = [threading.Thread(target=write, args=[code], daemon=True) for code in codes]
        for writer in writers:
            writer.start()
        try:
            yield
        finally:
            over.set()
            for writer in writers:
                writer.join()

    @staticmethod
    def _behind_ms(answer: Answer, edits: list[tuple[float, int]]) -> float:
        """Return the age of the first newer version that was acknowledged before this was asked."""
        found = version(answer)
        newer = [at for at, made in list(edits) if made > found and at < answer.sent]
        return 1000 * (answer.sent - newer[0]) if newer else 0

    def judge(self, samples: Samples, params: Params) -> Verdict:
        outdated = samples.last(self.outdated)
        behind = samples.values(self.behind)
        words = f"{{measured}} of {len(behind):,} answers older than an acknowledged edit"
        if outdated:
            words += f", by up to {max(behind):,.0f} ms"
        elif local := samples.last(self.local):
            words += f", {local:,.0f} of them from local layers"
        return Verdict.at_most(outdated, 0, words)
