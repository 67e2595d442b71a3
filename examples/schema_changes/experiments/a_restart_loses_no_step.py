"""Kill the database within each step of each migration, migrate again, and compare with an undisturbed run.

A step is a transaction. Triggers of the experiment stop it once its work is done and before it is committed;
so the one before it is committed and, if it is the last of a migration, not recorded.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    expect,
    rest,
)

from . import PATIENCE_SECONDS, connect, number, unsynced

WHOLE = 6  # each sixth time the whole server dies, which takes longer to start in a container
# Counted by a sequence, which keeps its number when a transaction does not end well.
STEPS = """
CREATE SCHEMA halts;
CREATE SEQUENCE halts.steps;
CREATE TABLE halts.due AS SELECT 0 AS step;
CREATE FUNCTION halts.step() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('halts.seen', true), '') = '' THEN
        PERFORM set_config('halts.seen', 'in this transaction', true);
        IF nextval('halts.steps') = (SELECT step FROM halts.due) THEN
            PERFORM pg_sleep(60);
        END IF;
    END IF;
END $$;
CREATE FUNCTION halts.row() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN PERFORM halts.step(); RETURN NULL; END $$;
CREATE FUNCTION halts.ddl() RETURNS event_trigger LANGUAGE plpgsql
AS $$ BEGIN PERFORM halts.step(); END $$;
CREATE TRIGGER halts AFTER INSERT ON django_migrations FOR EACH ROW EXECUTE FUNCTION halts.row();
CREATE EVENT TRIGGER halts ON ddl_command_end EXECUTE FUNCTION halts.ddl();
"""
UNDO = "DROP EVENT TRIGGER IF EXISTS halts; DROP SCHEMA IF EXISTS halts CASCADE"
# The backfill is one step: it stops in the batch of the row in the middle.
BACKFILL = sql.SQL("""
CREATE TRIGGER halts AFTER UPDATE ON {} FOR EACH ROW WHEN (NEW.flight_id = {})
EXECUTE FUNCTION halts.row()
""")
MIDDLE = "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY flight_id) FROM {}"
HALTED = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
MIGRATED = "SELECT name FROM django_migrations WHERE app = %s"
LOST = "SELECT count(*) FROM (SELECT {0} FROM halts.was EXCEPT ALL SELECT {0} FROM {1}) AS lost"

KEEP = sql.SQL("CREATE TABLE halts.was AS SELECT * FROM {}")

type State = set[tuple[str, str, str]]


class ARestartLosesNoStep(Experiment):
    slug = "a-restart-loses-no-step"
    claim = (
        "With the database killed by SIGKILL within each step of each migration, and the migrations begun "
        "again each time, the table ends with the schema and rows of a run that nobody disturbed."
    )
    holds = ("expand_contract",)
    refuted = ("if_not_exists",)
    lost = Series("rows that a run that nobody disturbed has otherwise")
    differ = Series("parts of the schema that differ")
    steps = Series("steps of the migrations")
    kills = Series("kills")
    chart = Chart(lost, "rows that are lost", x="kills", mark="points", bound=0)
    reports = (
        (
            "ohdearquant/lionagi#2370",
            "the backfill runs only where the column is missing: who has it already keeps its NULLs",
            "each row is asked whether it is filled; nothing else is",
        ),
        (
            "emdash-cms/emdash#803",
            'an index is committed and not recorded: the rerun says "already exists"',
            "each statement may be begun again",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        table = f"{variant}_delay"
        with unsynced(stack), halting(stack):
            begin(stack, variant, table)
            migrate(stack, variant)
            undisturbed = state(stack, variant)
            with connect(stack, autocommit=True) as connection:
                yield self.steps(number(connection, "SELECT last_value FROM halts.steps"))
                connection.execute(KEEP.format(sql.Identifier(table)))
            begin(stack, variant, table)
            kills = 0
            for _ in killed(stack, variant):
                kills += 1
                yield self.kills(kills)
            differ = undisturbed ^ state(stack, variant)
            if not differ:
                columns = ", ".join(name for kind, name, _ in undisturbed if kind == "columns")
                with connect(stack) as connection:
                    yield self.lost(number(connection, LOST.format(columns, table)), x=kills)
            yield self.differ(len(differ))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} parts of the schema differ from a run that nobody disturbed"
        differ = Verdict.at_most(samples.last(self.differ), 0, words)
        if not differ.holds:
            return differ
        words = "{measured} rows are not as after a run that nobody disturbed"
        lost = Verdict.at_most(samples.last(self.lost), 0, words)
        words = "killed in {measured} of {bound} steps"
        kills = Verdict.exactly(samples.last(self.kills), samples.last(self.steps), words)
        return lost & differ & kills


@contextmanager
def halting(stack: Stack) -> Iterator[None]:
    """Lay the triggers, and take them away at the end."""
    with connect(stack, autocommit=True) as connection:
        connection.execute(UNDO)
        connection.execute(STEPS)
    try:
        yield
    finally:
        with connect(stack, autocommit=True) as connection:
            connection.execute(UNDO)


def begin(stack: Stack, variant: str, table: str) -> None:
    stack.manage("begin", variant)
    with connect(stack, autocommit=True) as connection:
        middle = number(connection, MIDDLE.format(table))
        connection.execute(BACKFILL.format(sql.Identifier(table), middle))
        connection.execute("CHECKPOINT")  # or each restart replays the loading


def migrate(stack: Stack, variant: str, due: int = 0) -> None:
    """Migrate, and stop at the step of this number."""
    with connect(stack, autocommit=True) as connection:
        connection.execute("UPDATE halts.due SET step = %s", [due])
        connection.execute("SELECT setval('halts.steps', 1, false)")
    stack.manage("migrate", variant, "--skip-checks", "--verbosity", "0")


def killed(stack: Stack, variant: str) -> Iterator[None]:
    """Migrate until nothing is left to kill it in; yield after each kill."""
    due, kills = 1, 0
    before = recorded(stack, variant)
    while True:
        with ThreadPoolExecutor(1) as pool:
            pid = halted(stack, pool.submit(migrate, stack, variant, due))
            if pid is None:
                return
            kills += 1
            if kills % WHOLE:
                crash(stack, pid)
            else:
                with stack.killed("postgres"):
                    pass
        yield
        made = recorded(stack, variant)
        # Was one recorded on the way, then this was the first step of the next.
        due = due + 1 if made == before else 2
        before = made


def halted(stack: Stack, run: Future[None]) -> int | None:
    """Return the server's process that has stopped in a step; None if the run ended without one."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with connect(stack, autocommit=True) as connection:
        while not run.done():
            if row := connection.execute(HALTED).fetchone():
                return int(row[0])
            if time.monotonic() > deadline:
                raise ExperimentError("the migrations neither stopped nor ended")
            rest(0.02)
    return None


def crash(stack: Stack, pid: int) -> None:
    """Kill one process of the server, as the kernel does without memory: the server ends all and recovers."""
    with connect(stack, autocommit=True) as watching:
        with connect(stack, autocommit=True) as connection, suppress(psycopg.Error):
            connection.execute(f"COPY (SELECT) TO PROGRAM 'kill -9 {pid:d}'".encode())
        if not until(lambda: ended(watching)):
            raise ExperimentError("the server took no notice of its process's death")
    if not until(lambda: answers(stack)):
        raise ExperimentError("the server did not come back")


def until(condition: Callable[[], bool]) -> bool:
    """Wait without letting anybody end the run: what is to be put back needs a server that answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def ended(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def answers(stack: Stack) -> bool:
    try:
        psycopg.connect(stack.services["postgres"]).close()
    except psycopg.OperationalError:
        return False
    return True


def recorded(stack: Stack, variant: str) -> set[str]:
    with connect(stack) as connection:
        return {name for (name,) in connection.execute(MIGRATED, [variant])}


def state(stack: Stack, variant: str) -> State:
    """What the service tells of the table, and what is recorded as done."""
    answer = expect(ask(f"{stack.url}/api/{variant}/", {}, PATIENCE_SECONDS), 200)
    told: dict[str, Any] = json.loads(answer.body)
    told["recorded"] = dict.fromkeys(recorded(stack, variant), "")
    return {
        (kind, name, definition)
        for kind, parts in told.items()
        if kind != "table"
        for name, definition in parts.items()
    }
