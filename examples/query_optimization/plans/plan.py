"""A plan as PostgreSQL reports it, and what can be asserted of it without a stopwatch.

PostgreSQL manual, EXPLAIN, FORMAT JSON with ANALYZE and BUFFERS. Buffers are pages of 8 kB.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections


@dataclass(frozen=True, slots=True)
class Plan:
    """The executed plan of one statement, by its outermost node."""

    root: Mapping[str, Any]

    def nodes(self) -> Iterator[Mapping[str, Any]]:
        """Every node, from the outermost inwards."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop(0)
            yield node
            waiting[:0] = node.get("Plans", ())

    @property
    def buffers(self) -> int:
        """Pages that the whole statement looked at, wherever they were: one less depends on the cache."""
        kinds = (
            f"{where} {how} Blocks" for where in ("Shared", "Local") for how in ("Hit", "Read")
        )
        return sum(int(self.root.get(kind, 0)) for kind in kinds)

    @property
    def indexes(self) -> frozenset[str]:
        return frozenset(node["Index Name"] for node in self.nodes() if "Index Name" in node)

    def tree(self) -> str:
        """Return the plan as a tree: what each node read, returned and threw away, and what it does."""
        lines = [f"{'buffers':>7} {'rows':>7} {'removed':>7}  node"]
        for *numbers, words in _lines(self.root):
            lines.append(" ".join(f"{number:>7,}" for number in numbers) + f"  {words}")
        return "\n".join(lines)


def explain(database: str, select: str) -> Plan:
    """Run a SELECT and return how it was done."""
    with connections[database].cursor() as cursor:
        cursor.cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {select}".encode())
        (said,) = cursor.fetchone() or ([],)
    return Plan((json.loads(said) if isinstance(said, str) else said)[0]["Plan"])


def _removed(node: Mapping[str, Any]) -> int:
    # By a condition that an index could not decide, or only page by page; both are means of all loops.
    kinds = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(int(node.get(kind, 0)) for kind in kinds) * int(node.get("Actual Loops", 1))


def _lines(
    node: Mapping[str, Any], before: str = "", below: str = ""
) -> Iterator[tuple[int, int, int, str]]:
    words = [node["Node Type"]]
    if name := node.get("Index Name"):
        words.append(f"using {name}")
    if name := node.get("Relation Name"):
        words.append(f"on {name}")
    buffers = node.get("Shared Hit Blocks", 0) + node.get("Shared Read Blocks", 0)
    loops = node.get("Actual Loops", 1)
    if loops > 1:
        words.append(f"({loops:,.0f} times)")
    rows = round(node.get("Actual Rows", 0) * loops)
    yield buffers, rows, _removed(node), before + " ".join(words)
    children = node.get("Plans", ())
    for number, child in enumerate(children, 1):
        final = number == len(children)
        branches = ("└─ ", "   ") if final else ("├─ ", "│  ")
        yield from _lines(child, *(below + each for each in branches))
