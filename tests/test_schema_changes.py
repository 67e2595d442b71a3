"""What is promised of the migrations behind a pooler of transactions and beside a replica."""

import os
import subprocess
import threading
import uuid

import psycopg

from nexus import catalog
from nexus.environment import ensure_environment
from nexus.experiment import until

EXAMPLE = catalog.example("schema_changes")
ROWS = 78_044
SETTINGS = "SELECT current_setting(%s), coalesce(current_setting(%s, true), '')"
NAMES = ["lock_timeout", "expand_contract.quiet"]


def manage(stack, url, *args):
    """Run a command of the example with this database."""
    env = stack.environment() | {
        "DATABASE_URL": url,
        "SECRET_KEY": uuid.uuid4().hex * 2,
        "PATH": os.environ["PATH"],
    }
    command = [str(ensure_environment(EXAMPLE) / "python"), "manage.py", *args]
    return subprocess.run(
        command, cwd=EXAMPLE.path, env=env, capture_output=True, text=True, timeout=180, check=False
    )


def test_migrations_through_a_pooler_leave_no_setting_to_others(loaded, pooler):
    direct = loaded.services["postgres"]
    over = threading.Event()
    seen = set()
    assert manage(loaded, direct, "begin", "expand_contract").returncode == 0

    def look(url):
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
            while not over.wait(0.002):
                seen.add(other.execute(SETTINGS, NAMES).fetchone())

    with pooler(direct, 1) as pooled:  # whatever a session keeps, the next client has
        others = [threading.Thread(target=look, args=(pooled,)) for _ in range(2)]
        for other in others:
            other.start()
        try:
            done = [
                manage(loaded, pooled, "migrate", "expand_contract", *to)
                for to in ((), ("0001",), ())
            ]
        finally:
            over.set()
            for other in others:
                other.join()
        with psycopg.connect(pooled, autocommit=True) as one:
            one.execute("SET lock_timeout = '123ms'")
            assert one.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (True,)
            with psycopg.connect(pooled, autocommit=True) as two:
                assert two.execute("SHOW lock_timeout").fetchone() == ("123ms",)
                assert two.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (True,)

    assert [each.returncode for each in done] == [0, 0, 0], done[-1].stderr
    assert seen == {("0", "")}
    with psycopg.connect(direct) as connection:
        count = connection.execute("SELECT count(delay_minutes) FROM expand_contract_delay")
        assert count.fetchone() == (ROWS,)


def test_replica_that_lags_has_the_old_column_and_refuses_the_release(loaded, replica):
    direct = loaded.services["postgres"]
    assert manage(loaded, direct, "begin", "expand_contract").returncode == 0
    with (
        replica(loaded) as copied,
        psycopg.connect(copied, autocommit=True) as connection,
    ):

        def filled():
            try:
                count = connection.execute("SELECT count(delay_minutes) FROM expand_contract_delay")
            except psycopg.errors.UndefinedColumn:
                return None
            return count.fetchone()[0]

        connection.execute("SELECT pg_wal_replay_pause()")
        assert manage(loaded, direct, "migrate", "expand_contract", "0004").returncode == 0
        assert filled() is None
        late = connection.execute("SELECT count(late) FROM expand_contract_delay")
        assert late.fetchone() == (ROWS,)
        connection.execute("SELECT pg_wal_replay_resume()")
        assert until(lambda: filled() == ROWS, 60)

        refused = manage(loaded, copied, "migrate", "expand_contract")
    assert refused.returncode == 1
    assert "read-only transaction" in refused.stderr
