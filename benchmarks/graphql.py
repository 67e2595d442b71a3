"""Measures three questions as each variant, graphene-django and hand-written SQL answer them.

Requests go through each view in the same process: what an answer costs, without a network and a server.
Other machines give other figures; what holds are the statements, the buffers and the ratios.
`make bench EXAMPLE=graphql` sees to PostgreSQL, the packages of graphql.txt and the example on PYTHONPATH.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
from outcome import Cell, Measured, versions
from rich.console import Console
from uv import find_uv_bin

HERE = Path(__file__).parent
WAYS = ("by_hand", "resolvers", "optimizer", "ariadne_cost", "graphene", "priced")
COLUMNS = ("question", "who answers", "statements", "rows read", "buffers", "CPU ms", "p99 ms")
PACKAGES = ("django", "strawberry-graphql", "strawberry-graphql-django", "ariadne", "graphql-core")

type Found = Mapping[str, Mapping[str, Mapping[str, float]]]  # way -> question -> figures


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure three questions, each answered in six ways."
    )
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    try:
        with psycopg.connect(os.environ.get("DATABASE_URL", ""), connect_timeout=2) as server:
            postgres = str(server.info.parameter_status("server_version")).split()[0]
    except psycopg.OperationalError as error:
        print(f"DATABASE_URL does not answer: {error}", file=sys.stderr)
        return 1
    measured = run()
    measured.show("GraphQL in five ways, beside hand-written SQL")
    if output:
        told = versions({"server_name": "postgresql", "postgresql_version": postgres}, PACKAGES)
        measured.write(output, told)
    return 0


def run() -> Measured:
    (example,) = (path for path in sys.path if (Path(path) / "manage.py").exists())
    subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=example, check=True, capture_output=True
    )
    found: dict[str, Mapping[str, Mapping[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("") as status:
        pythons = dict.fromkeys(WAYS, sys.executable) | {"graphene": graphene_in(Path(folder))}
        for way in WAYS:
            status.update(way)
            found[way] = measured_by(pythons[way], way)
    return Measured(COLUMNS, [*rows(found)], [*goals(found)])


def graphene_in(folder: Path) -> str:
    """Return a Python that has graphene and what the example's models need."""
    uv, python = find_uv_bin(), folder / "bin" / "python"
    lock = HERE / "graphql_graphene.txt"
    install = ["pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", lock]
    for command in (["venv", "--quiet", "--python", sys.executable, folder], install):
        subprocess.run([uv, *command], check=True)
    return str(python)


def measured_by(python: str, way: str) -> Mapping[str, Mapping[str, float]]:
    """Measure in a process of its own; end with the last line of its error."""
    # -P: in this folder, graphql.py would stand in front of the package of that name.
    command = [python, "-P", str(HERE / "graphql_measures.py"), way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr.strip().splitlines()[-1]}")
    found: Mapping[str, Mapping[str, float]] = json.loads(done.stdout)
    return found


def rows(found: Found) -> Iterator[list[Cell]]:
    for question in found["priced"]:
        for way, of in found.items():
            if figures := of.get(question):
                counted = [int(figures[name]) for name in ("statements", "rows", "buffers")]
                yield [
                    question,
                    way,
                    *counted,
                    *(round(figures[each], 1) for each in ("cpu", "p99")),
                ]


def goals(found: Found) -> Iterator[tuple[bool, str]]:
    questions = found["priced"]
    more = max(
        of["statements"] - found["by_hand"][each]["statements"] for each, of in questions.items()
    )
    yield more <= 3, f"at most 3 statements more than by hand: {more:.0f}"
    read = max(of["buffers"] / found["by_hand"][each]["buffers"] for each, of in questions.items())
    yield read <= 3, f"buffers at most 3 x those by hand: {read:.1f}"
    aliases = "two aliases of a list"
    for other in ("resolvers", "optimizer", "graphene"):
        ratio = questions[aliases]["cpu"] / found[other][aliases]["cpu"]
        yield ratio <= 0.5, f"two aliases in <= 0.5 of the CPU of {other}: {ratio:.2f}"


if __name__ == "__main__":
    sys.exit(main())
