"""A list takes as many queries for 500 rows as for 5, and says the same as the naive way."""

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
    more = Series("queries", "queries more than for 5 rows")
    differ = Series("answers", "answers that differ")
    lists = Series("lists")
    chart = Chart(more, "queries more than for 5 rows", x="rows of the list", mark="points")

    ROWS = (5, 50, 500)
    LISTS = 7  # none may be left out
    PAGED_OTHERWISE = ("pages",)  # by position: its links differ, and its rows are compared

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        everything = {each["name"]: each["lists"] for each in told(stack, "/api/")["variants"]}
        lists = [each for each in everything[variant] if each["rows"]]
        paths = {
            one["name"]: [
                f"{one['example']}{'&' if '?' in one['example'] else '?'}{one['rows']}={rows}"
                for rows in self.ROWS
            ]
            for one in lists
        }
        growth = 0
        answers: dict[str, Answer] = {}
        for each in paths.values():
            answers |= {path: answered(stack, path) for path in each}
            queries = [self._queries(answers[path]) for path in each]
            for rows, number in zip(self.ROWS, queries, strict=True):
                yield self.queries(number)
                yield self.more(number - queries[0], x=rows)
            growth = max(queries) - queries[0]
            if growth:  # refuted: the other lists need not be asked, nor the answers be right
                break
        if not growth:
            naive = self._naive(stack, variant, list(answers))
            different = sum(
                self._said(name, answers[path]) != self._said(name, naive[path])
                for name, each in paths.items()
                for path in each
            )
            yield self.differ(different)
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
        worst = max(samples.values(self.queries), default=0)
        words = f"{{measured}} queries more for 500 rows than for 5, up to {worst:,.0f} in all"
        growth = Verdict.at_most(max(samples.values(self.more), default=0), 0, words)
        if not growth.holds:
            return growth
        samples.wait_for_end()
        different = Verdict.at_most(samples.last(self.differ), 0, "{measured} answers differ")
        lists = Verdict.at_least(
            samples.last(self.lists), self.LISTS, "{measured} of {bound} lists"
        )
        return growth.provided(different).provided(lists)
