"""Lists of 5, 50 and 500 rows: their queries counted, their answers compared with the naive way's."""

import json
import re
from collections.abc import Iterator

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    expect,
    volley,
)

from . import PATIENCE_SECONDS, answered, told


class QueriesDoNotGrow(Experiment):
    slug = "queries-do-not-grow"
    claim = (
        "Every list takes the same number of queries for 5, 50 and 500 rows, and its JSON is equal to "
        "that of the naive way, byte for byte."
    )
    holds = ("eager", "optimized")
    refuted = ("naive", "fetch_peers")
    queries = Series("queries of one request")
    growth = Series("queries more than for 5 rows")
    different = Series("answers that differ from the naive way")
    lists = Series("lists asked for")
    chart = Chart(growth, "queries more than for 5 rows", x="rows", mark="points", bound=0)

    ROWS = (5, 50, 500)
    LISTS = 6  # none may be left out
    PAGED_OTHERWISE = ("pages",)  # by position: its links differ, and its rows are compared

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        everything = {each["name"]: each["lists"] for each in told(stack, "/api/")["variants"]}
        lists = [each for each in everything[variant] if each["rows"]]
        growth = 0
        paths: dict[str, list[str]] = {}
        answers: dict[str, Answer] = {}
        for one in lists:
            sign = "&" if "?" in one["example"] else "?"
            paths[one["name"]] = [
                f"{one['example']}{sign}{one['rows']}={rows}" for rows in self.ROWS
            ]
            queries = []
            for rows, path in zip(self.ROWS, paths[one["name"]], strict=True):
                answers[path] = answered(stack, path)
                queries.append(self._queries(answers[path]))
                growth = max(growth, queries[-1] - queries[0])
                yield self.queries(queries[-1], x=rows)
                yield self.growth(growth, x=rows)
            if growth:  # it is refuted: the other lists need not be asked, nor the answers be right
                return
        naive = self._naive(stack, variant, list(answers))
        yield self.different(
            sum(
                self._said(name, answers[path]) != self._said(name, naive[path])
                for name, each in paths.items()
                for path in each
            )
        )
        yield self.lists(len(lists))

    def _naive(self, stack: Stack, variant: str, paths: list[str]) -> dict[str, Answer]:
        """Return what the naive way answers to the same paths, all asked for at once."""
        requests = [
            Request(f"{stack.url}{path.replace(f'/{variant}/', '/naive/', 1)}") for path in paths
        ]
        found = {}
        for answer in volley(
            requests, processes=2, connections=2, timeout_seconds=PATIENCE_SECONDS
        ):
            found[paths[answer.request]] = expect(answer, 200)
        return found

    def _said(self, name: str, answer: Answer) -> bytes:
        if name in self.PAGED_OTHERWISE:
            return json.dumps(json.loads(answer.body)["flights"]).encode()
        return answer.body

    def _queries(self, answer: Answer) -> int:
        match = re.search(r'desc="(\d+) queries"', answer.headers.get("server-timing", ""))
        if not match:
            raise ExperimentError("the answer does not tell its queries")
        return int(match[1])

    def judge(self, samples: Samples, params: Params) -> Verdict:
        most = max(samples.values(self.queries), default=0)
        words = (
            f"{{measured}} more queries for 500 rows than for 5, {most:,.0f} for the dearest list"
        )
        growth = Verdict.at_most(samples.last(self.growth), 0, words)
        if not growth.holds:
            return growth
        return (
            growth
            & Verdict.at_most(
                samples.last(self.different), 0, "{measured} answers differ from the naive way's"
            )
            & Verdict.at_least(
                samples.last(self.lists), self.LISTS, "{measured} of {bound} lists asked for"
            )
        )
