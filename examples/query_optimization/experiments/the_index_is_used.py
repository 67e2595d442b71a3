"""Ask each path of the catalogue for its plans; then drop its index, and expect to be told.

An assertion that cannot fail asserts nothing: without its index each query has to miss, within a
transaction that is rolled back.
"""

from collections.abc import Iterator
from typing import Any

from psycopg import sql

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

from . import buffers, connect, explained, indexes, plans, told


class TheIndexIsUsed(Experiment):
    slug = "the-index-is-used"
    claim = (
        "Each query of the catalogue uses its index and stays within its bound of buffers, and the "
        "same check fails once that index is dropped."
    )
    holds = ("optimized",)
    refuted = ("naive",)
    buffers = Series("pages of 8 kB that a query read")
    off = Series("queries off their index or bound")
    unnoticed = Series("dropped indexes that went unnoticed")
    queries = Series("queries of the catalogue")
    chart = Chart(off, "queries off their index or bound", x="queries", bound=0)

    QUERIES = 8  # of the catalogue; none may be left out

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        entries = told(stack, "/api/")["indexes"]
        off = unnoticed = 0
        for place, entry in enumerate(entries, 1):
            found = plans(stack, f"/api/{variant}/{entry['path']}")
            roots = [plan["plan"] for plan in found]
            read = max(map(buffers, roots), default=0)
            missed = self._misses(entry, roots)
            off += missed
            if not missed:
                unnoticed += not self._missed_without(stack, entry, found)
            yield self.buffers(read)
            yield self.off(off, x=place)
            yield self.unnoticed(unnoticed)
        yield self.queries(len(entries))

    def _misses(self, entry: dict[str, Any], roots: list[dict[str, Any]]) -> bool:
        used = set[str]().union(*(indexes(root) for root in roots))
        return entry["index"] not in used or any(
            buffers(root) > entry["max_buffers"] for root in roots
        )

    def _missed_without(
        self, stack: Stack, entry: dict[str, Any], found: list[dict[str, Any]]
    ) -> bool:
        with connect(stack) as connection, connection.transaction(force_rollback=True):
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(entry["index"])))
            return self._misses(entry, [explained(connection, plan["sql"]) for plan in found])

    def judge(self, samples: Samples, params: Params) -> Verdict:
        asked, worst = len(samples.of(self.buffers)), max(samples.values(self.buffers), default=0)
        words = f"{{measured}} of {asked} queries off their index or bound, worst reads {worst:,.0f} buffers"
        off = Verdict.at_most(samples.last(self.off), 0, words)
        unnoticed = Verdict.at_most(
            samples.last(self.unnoticed), 0, "{measured} dropped indexes went unnoticed"
        )
        if not (off & unnoticed).holds:
            return off & unnoticed
        queries = samples.last(self.queries)
        words = "{measured} of {bound} queries of the catalogue asked"
        return off & unnoticed & Verdict.at_least(queries, self.QUERIES, words)
