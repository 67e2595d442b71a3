"""The claims of this example, and what they share: what the database knows of a set of jobs.

Whatever a variant does leaves two traces, which nobody but the experiments reads: a row for each run that
begins, and a report for each one that ends. Drills, which staff may ask for, make jobs slow or fail.
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Self

import psycopg

from nexus.experiment import (
    Answer,
    Experiment,
    ExperimentError,
    Request,
    Sample,
    Series,
    Stack,
    ask,
    expect,
    rest,
    until,
    volley,
)

# The one that harms the broker comes last: Celery's own worker does not get over its death for a while, and
# the next claim would have to start it anew.
CLAIMS = (
    "no-job-is-lost",
    "poison-is-quarantined",
    "retries-do-not-stampede",
    "delayed-jobs-do-not-block",
    "same-key-same-job",
    "silence-is-noticed",
    "rollback-sends-nothing-commit-always-sends",
)

NAIVE = "fire_and_forget"
BEGINS_AS = NAIVE  # exercises/mine.py, where a reader begins
OURS = ("worker", "quick")
HOSTS = {"tutorial": "tutorial", "bulk": "worker", "quick": "quick"}  # in the names of workers
WORKERS = {NAIVE: ("tutorial",), "django_tasks": OURS, "durable": OURS}
SMALL = {"airline": "HA", "month": 1}
FEW = 64  # client processes take longer to start than so many requests do
PATIENCE_SECONDS = 60.0  # without anything new, after which nothing is expected any more
MINE_SECONDS = 20.0  # of a reader's own: its whole run gets two minutes
GONE_SECONDS = 0.5  # of that are enough where nothing can come
OWN_GONE_SECONDS = 5.0  # and of a reader's own, whose broker may bring back what a worker had


def workers(variant: str) -> tuple[str, ...]:
    """Return the workers that run the jobs of a variant: of a reader's own, any of them may."""
    return WORKERS.get(variant, ("tutorial", *OURS))


def patience(database: "Database", variant: str, jobs: Sequence[str], others_done: object) -> float:
    """Return after how many seconds without anything new nothing more is expected of the jobs.

    Args:
        others_done: what was asked for after them is done. A queue is first in, first out: then the naive
            variant has lost them, and a reader's own, too, unless a row says that there is more to come.
    """
    if variant == NAIVE and others_done:
        return GONE_SECONDS
    if variant in WORKERS:
        return PATIENCE_SECONDS
    return OWN_GONE_SECONDS if others_done and not database.kept(jobs) else MINE_SECONDS


def slow_workers(variant: str) -> tuple[str, ...]:
    """Return those among them that run jobs which take their time."""
    return tuple(each for each in workers(variant) if each != "quick")


class Database:
    """What the database knows of a set of jobs."""

    def __init__(self, stack: Stack) -> None:
        self._connection = psycopg.connect(stack.services["postgres"], autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what is left: what runs is fenced off, what comes later runs nothing."""
        # In the order of their ids, as the workers lock rows: of two orders one would be a deadlock.
        self._connection.execute(
            "WITH left_over AS (SELECT id FROM jobs_job WHERE state IN ('queued', 'running')"
            " ORDER BY id FOR UPDATE)"
            " UPDATE jobs_job SET state = 'cancelled', finished_at = now(), arguments = arguments - 'drill'"
            " FROM left_over WHERE jobs_job.id = left_over.id"
        )
        self.resolve()
        self._connection.close()

    def resolve(self) -> None:
        """Close every dead letter."""
        self._connection.execute(
            "UPDATE jobs_deadletter SET resolved_at = now() WHERE resolved_at IS NULL"
        )

    def hurry(self, jobs: Sequence[str]) -> None:
        """Let the next run of each of the jobs take no time: that it is interrupted is over."""
        self._connection.execute(
            "UPDATE jobs_job SET arguments = arguments - 'drill' WHERE id = ANY (%s)", [list(jobs)]
        )

    def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, args).fetchall()

    def number(self, query: str, *args: object) -> float:
        ((number,),) = self.rows(query, *args)
        return float(number or 0)

    def kept(self, jobs: Sequence[str]) -> bool:
        """Return whether one of the jobs is to be sent, or sent again: it has a queue, or a lease."""
        query = (
            "SELECT count(*) FROM jobs_job WHERE id = ANY (%s) AND finished_at IS NULL"
            " AND (sent_at IS NOT NULL OR lease_until IS NOT NULL OR queue <> '')"
        )
        return bool(self.number(query, list(jobs)))

    def hosts(self, jobs: Sequence[str]) -> set[str]:
        """Return the workers that have begun one of the jobs, by the names of their processes."""
        query = "SELECT DISTINCT split_part(worker, '-', 1) FROM jobs_run WHERE job_id = ANY (%s)"
        return {HOSTS.get(host, host) for (host,) in self.rows(query, list(jobs))}

    def done(self, jobs: Sequence[str]) -> int:
        """Return how many of the jobs have a report."""
        query = "SELECT count(DISTINCT job_id) FROM reports_report WHERE job_id = ANY (%s)"
        return int(self.number(query, list(jobs)))

    def effects(self, jobs: Sequence[str]) -> int:
        """Return how many reports the jobs have together."""
        query = "SELECT count(*) FROM reports_report WHERE job_id = ANY (%s)"
        return int(self.number(query, list(jobs)))

    def begun(self, jobs: Sequence[str]) -> int:
        """Return how many of the jobs have begun."""
        query = "SELECT count(DISTINCT job_id) FROM jobs_run WHERE job_id = ANY (%s)"
        return int(self.number(query, list(jobs)))

    def runs(self, jobs: Sequence[str]) -> int:
        """Return how many runs of the jobs have begun."""
        return int(self.number("SELECT count(*) FROM jobs_run WHERE job_id = ANY (%s)", list(jobs)))


@contextmanager
def idle(stack: Stack, variant: str) -> Iterator[Database]:
    """Give the database once a job of the variant is done: what an earlier claim did to the broker is over.

    Celery's own worker pauses for up to 30 s after the death of its broker, and over the Redis protocol it
    may end with it; that is not what the next claim is about, and it is started anew. It is killed, because
    it hears no signal while it pauses; what it had fetched is nothing that anybody waits for.

    Raises:
        ExperimentError: no job is done.
    """
    with Database(stack) as database:
        jobs = one_more(stack, variant)
        if "tutorial" in workers(variant) and not until(lambda: database.done(jobs), 5):
            stack.kill("tutorial")
            stack.start("tutorial")
            jobs = one_more(stack, variant)
        if not until(lambda: database.done(jobs), 30):
            raise ExperimentError("the workers do nothing, or are busy without a reason")
        yield database


def one_more(stack: Stack, variant: str) -> list[str]:
    """Ask for one more job, for as long as the broker may need to come back.

    A queue is first in, first out: with that job done, one that was asked for before and was not begun
    is gone, unless the solution finds it missing, and sends it again.

    Raises:
        ExperimentError: it is not accepted.
    """
    jobs: list[str] = []

    def accepted() -> bool:
        answer = ask(asking(stack, variant))
        jobs.extend([job(answer)] if answer.status == 202 else [])
        return bool(jobs)

    if not until(accepted, 30, 0.5):
        raise ExperimentError("no job is accepted")
    return jobs


def asking(
    stack: Stack, variant: str, drill: dict[str, object] | None = None, **more: object
) -> Request:
    """Return the request for a report, with a drill that staff may ask for."""
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {stack.staff_token}",
    }
    if key := more.pop("key", None):
        headers["Idempotency-Key"] = str(key)
    document = {**SMALL, **more, **({"drill": drill} if drill else {})}
    url = f"{stack.url}/api/{variant}/reports/"
    return Request(url, headers, "POST", json.dumps(document).encode())


def job(answer: Answer, status: int = 202) -> str:
    """Return the id of the job that was asked for."""
    document = json.loads(expect(answer, status).body)
    return str(document.get("id") or document["job"])


def submitted(requests: Sequence[Request]) -> list[str]:
    """Send all of them, and return the ids of their jobs."""
    if len(requests) > FEW:
        return [job(answer) for answer in volley(requests, processes=2, connections=8)]
    with ThreadPoolExecutor(8) as pool:
        return [job(answer) for answer in pool.map(ask, requests)]


class JobsAreDone(Experiment):
    """What the claims share that ask for jobs, hurt the workers or the broker, and count what is done."""

    done = Series("jobs", "jobs done")
    twice = Series("effects", "effects too many")

    def counted(self, database: Database, jobs: Sequence[str]) -> Sample:
        return self.done(database.done(jobs))

    def followed(
        self, database: Database, stack: Stack, variant: str, jobs: Sequence[str]
    ) -> Iterator[Sample]:
        """Yield how many jobs are done: until all are, or no more are expected to be."""
        last = [] if variant in self.holds else one_more(stack, variant)
        done, changed = -1, time.monotonic()
        while done < len(jobs):
            now = database.done(jobs)
            if now != done:
                done, changed = now, time.monotonic()
                yield self.done(done)
            after = last and database.done(last)
            if time.monotonic() - changed > patience(database, variant, jobs, after):
                break
            rest(0.1)
        rest(0.5)  # what is done twice is done about now
        yield self.twice(database.effects(jobs) - database.done(jobs))
