"""What is promised of the running example beyond its claims: a database that goes back as servers do."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from examples.ip_blacklisting.experiments import (
    PROCESSES,
    Operator,
    processes_that,
    refused,
    sent_by,
    served,
    some_address,
    url,
)
from nexus import catalog
from nexus.experiment import ask
from nexus.prove import WEB_PROCESSES
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import wait_until

SECONDS = 5  # in which a process that follows would have heard of it
PATIENCE_SECONDS = 60
# A server that starts from a backup skips up to 32 numbers of each sequence, so fewer rows than that with
# the numbers of lost ones there are none.
LOST = 40


@pytest.fixture
def stack(tmp_path):
    example = catalog.example("ip_blacklisting")
    with EmbeddedStack(example, tmp_path, replicas=WEB_PROCESSES) as running:
        yield running


@contextmanager
def restored(stack: EmbeddedStack) -> Iterator[None]:
    """Take a backup with `pg_basebackup`, and start the server from it after the block."""
    address = stack.services["postgres"]
    with psycopg.connect(address) as database:
        data = Path(database.execute("SHOW data_directory").fetchone()[0])
    owner, backup = data.stat().st_uid, data.with_name("backup")
    backup.mkdir(mode=0o700)
    if owner != os.geteuid():
        os.chown(backup, owner, owner)
    server = Path(psutil.Process(stack.children()["postgres"].pid).exe())
    subprocess.run(
        [server.with_name("pg_basebackup"), f"--dbname={address}", f"--pgdata={backup}", "-cfast"],
        check=True,
        user=owner,
        cwd="/",
        timeout=120,
    )
    yield
    with stack.stopped("postgres"):
        shutil.rmtree(data)
        backup.rename(data)


def all_processes(stack, variant, accept, address, seconds=PATIENCE_SECONDS) -> bool:
    """Tell whether each process accepts its own answer to a client within so many seconds."""
    asked = processes_that(accept, url(stack, variant), sent_by(address), seconds)
    return len(list(asked)) == PROCESSES


@pytest.mark.alone
def test_server_that_starts_from_a_base_backup_is_another_list(stack):
    lists = {name: Operator(stack, name) for name in ("polling", "shield")}
    before, *after = [some_address() for _ in range(1 + LOST)]
    new = [some_address() for _ in range(1 + LOST)]
    for operator in lists.values():
        operator.ban(before)
    with restored(stack):
        for name, operator in lists.items():
            for address in after:
                operator.ban(address)
            assert all_processes(stack, name, refused, after[-1])
    lists["polling"].ban(new[0])
    for address in new:  # the numbers of what was lost are given again, and one more
        lists["shield"].ban(address)

    assert all_processes(stack, "shield", refused, new[-1])
    assert all_processes(stack, "shield", refused, before)
    assert all_processes(stack, "shield", served, after[-1])
    assert not all_processes(stack, "polling", refused, new[0], SECONDS)
    assert not all_processes(stack, "polling", served, after[-1], SECONDS)


@pytest.mark.alone
def test_process_that_has_no_list_yet_lets_nobody_in(stack, tmp_path):
    banned = some_address()
    Operator(stack, "shield").ban(banned)
    assert all_processes(stack, "shield", refused, banned)
    with stack.paused("keeper"), stack.paused("postgres"):
        shutil.rmtree(tmp_path / "files")  # where the keeper would write the list down again
        server = psutil.Process(stack.children()["web.1"].pid)
        workers = {*server.children()}
        min(workers, key=lambda one: one.pid).kill()
        assert wait_until(lambda: {*server.children()} - workers, PATIENCE_SECONDS)
        answers, started = [], time.monotonic()
        while time.monotonic() < started + 6:  # a process takes one second to start
            asked = ask(url(stack, "shield"), sent_by(banned), timeout_seconds=1)
            answers.append(asked.status)
            time.sleep(0.02)

    assert {*answers} == {403, 0}  # 0: who waits for the process that starts
    assert all_processes(stack, "shield", refused, banned)
