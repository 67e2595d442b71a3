"""Every query has its index, and the check that says so can fail."""

from collections.abc import Iterator
from typing import Any

from psycopg import sql

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

from . import buffers, connect, explained, plans, told


def indexes(root: dict[str, Any]) -> set[str]:
    found = {root["Index Name"]} if "Index Name" in root else set()
    return found.union(*(indexes(child) for child in root.get("Plans", ())))


class TheIndexIsUsed(Experiment):
    """Ask each path of the catalogue for its plans; then drop its index, and expect to be told.

    An assertion that cannot fail asserts nothing: without its index each query has to miss, within a
    transaction that is rolled back.
    """

    slug = "the-index-is-used"
    claim = (
        "Each query of the catalogue uses its index and stays within its bound of buffers, and the "
        "same check fails once that index is dropped."
    )
    holds = ("optimized",)
    refuted = ("naive",)
    buffers = Series("pages of 8 kB")
    off_their_index = Series("queries")
    not_missed = Series("indexes that can go unnoticed")
    times_its_bound = Series("ratio")
    queries = Series("queries of the catalogue")
    chart = Chart(
        times_its_bound,
        "buffers read by a query, times its bound",
        x="queries of the catalogue",
        mark="points",
        bound=1,
        logarithmic=True,
    )

    QUERIES = 9  # of the catalogue; none may be left out

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        entries = told(stack, "/api/catalogue/")["indexes"]
        off = unnoticed = 0
        for number, entry in enumerate(entries, 1):
            expected = entry["expected"]
            found = plans(stack, entry["path"].format(variant=variant))
            read = max(plan["buffers"] for plan in found)
            missed = self._misses(expected, [plan["plan"] for plan in found])
            off += missed
            if not missed:
                unnoticed += not self._missed_without(stack, expected, found)
            yield self.queries(number)
            yield self.buffers(read)
            yield self.times_its_bound(read / expected["max_buffers"], x=number)
            yield self.off_their_index(off)
            yield self.not_missed(unnoticed)

    def _misses(self, expected: dict[str, Any], roots: list[dict[str, Any]]) -> bool:
        used = set[str]().union(*(indexes(root) for root in roots))
        return expected["index"] not in used or any(
            buffers(root) > expected["max_buffers"] for root in roots
        )

    def _missed_without(
        self, stack: Stack, expected: dict[str, Any], found: list[dict[str, Any]]
    ) -> bool:
        with connect(stack) as connection, connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(expected["index"])))
            return self._misses(expected, [explained(connection, plan["sql"]) for plan in found])

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()  # how many of them is the figure
        queries, worst = samples.last(self.queries), max(samples.values(self.buffers))
        words = (
            f"{{measured}} of {queries:.0f} queries off their index or bound, "
            f"worst reads {worst:,.0f} buffers"
        )
        off = Verdict.at_most(samples.last(self.off_their_index), 0, words)
        words = "{measured} dropped indexes went unnoticed"
        unnoticed = Verdict.at_most(samples.last(self.not_missed), 0, words)
        asked = Verdict.at_least(queries, self.QUERIES, "{measured} of {bound} queries asked")
        return off.provided(unnoticed).provided(asked)
