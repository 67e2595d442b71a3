"""What is promised of the running example beyond its claims: time to load, memory and disk, and its page."""

import re
from pathlib import Path

import psutil
import psycopg
import pytest

from nexus import catalog
from nexus.environment import ensure_environment
from nexus.experiment import Request, volley
from nexus.lab.stacks import SERVER_PROCESSES
from nexus.stacks.embedded import EmbeddedStack

EXAMPLE = catalog.example("query_optimization")
MEGABYTE = 2**20


@pytest.mark.alone
def test_with_all_data_the_stack_takes_700_mb_and_loads_in_15_s(tmp_path):
    ensure_environment(EXAMPLE)
    stack = EmbeddedStack(EXAMPLE, tmp_path / "stack", workers=SERVER_PROCESSES)
    with stack.temporarily():
        variants = ("naive", "eager", "optimized")
        lists = ("board/?origin=JFK&day=2013-07-01", "planes/?limit=500", "report/?month=2013-07")
        paths = [f"/api/{variant}/{each}" for variant in variants for each in lists]
        requests = [Request(f"{stack.url}{path}") for path in paths * 4]
        statuses = {answer.status for answer in volley(requests, processes=2, connections=4)}
        memory = sum(proportional_bytes(child.pid) for child in stack.children().values())
        with psycopg.connect(stack.services["postgres"]) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        disk = sum(path.stat().st_size for path in Path(row[0]).rglob("*") if path.is_file())
        release = (stack.state / "logs" / "release.log").read_text()

    (seconds,) = re.findall(r"^ *([\d.]+) s$", release, re.MULTILINE)
    assert statuses == {200}
    assert float(seconds) <= 15
    assert memory <= 700 * MEGABYTE, f"{memory / MEGABYTE:.0f} MB of memory"
    assert disk <= 700 * MEGABYTE, f"{disk / MEGABYTE:.0f} MB of disk"


def proportional_bytes(pid: int) -> int:
    """Memory of a process and its descendants, what several share counted once (PSS)."""
    process = psutil.Process(pid)
    members = [process, *process.children(recursive=True)]
    return sum(member.memory_full_info().pss for member in members)
