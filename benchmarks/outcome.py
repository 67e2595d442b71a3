"""What a benchmark of several peers in one run comes to: its table, its goals, its versions."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

type Cell = str | int | float


@dataclass(frozen=True, slots=True)
class Measured:
    """The table, and the goals with whether this run met each."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    goals: Sequence[tuple[bool, str]]

    def show(self, title: str) -> None:
        # Some examples measure in their own environment, which has none of it, and only write.
        from rich.console import Console
        from rich.table import Table

        table = Table(title=title)
        table.add_column(self.columns[0], no_wrap=True)
        for column in self.columns[1:]:
            table.add_column(column, justify="right")
        for cells in self.rows:
            table.add_row(*[str(cell) for cell in cells])
        console = Console()
        if not console.is_terminal:
            console = Console(width=150)
        console.print(table)
        for met, goal in self.goals:
            console.print("met   " if met else "MISSED", goal, highlight=False)

    def write(self, path: Path, versions: Mapping[str, str]) -> None:
        """Write the table and the goals as JSON, the form that `make bench` records."""
        content = {
            "columns": self.columns,
            "rows": self.rows,
            "goals": [{"met": met, "text": text} for met, text in self.goals],
            "versions": versions,
        }
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def versions(redis: Mapping[str, Any], packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python, of the server that `INFO server` tells of, and of the packages."""
    name = redis.get("server_name", "redis")
    return {
        "python": platform.python_version(),
        name: str(redis.get(f"{name}_version") or redis["redis_version"]),
    } | {package: version(package) for package in packages}
