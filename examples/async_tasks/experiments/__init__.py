"""The claims of this example, each driven against a running stack and judged from what the database knows.

Whatever a variant does leaves two traces, which nobody but the experiments reads: a row for each run that
begins, and a report for each one that ends. Drills, which staff may ask for, make jobs slow or fail.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import psycopg

from nexus.experiment import (
    Answer,
    ExperimentError,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    expect,
    rest,
    until,
    volley,
)

# The last two are about brokers that die. Celery's own worker does not get over that for a while, and the
# claim after it would have to start it anew.
CLAIMS = (
    "requests-stay-fast",
    "no-job-is-lost",
    "poison-is-quarantined",
    "retries-do-not-stampede",
    "delayed-jobs-do-not-block",
    "same-key-same-job",
    "silence-is-noticed",
    "deploys-lose-nothing",
    "rollback-sends-nothing-commit-always-sends",
    "the-broker-may-die",
)
EFFECTS = Series("jobs with an effect", "effects")
EXTRA = Series("effects too many", "extra")
WAITING = Series("jobs in the queue", "waiting")
QUICK = {"airline": "HA", "month": 1, "resamples": 0}  # 31 flights
WORKER = {"fire_and_forget": "tutorial", "durable": "worker"}
FEW = 64
PATIENCE = 60.0  # s without anything new, after which nothing is expected any more
GONE = 1.0  # s of that are enough where nothing can come


class Database:
    """What the database knows of a set of jobs."""

    def __init__(self, stack: Stack) -> None:
        self._connection = psycopg.connect(stack.services["postgres"], autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what is left: what runs is fenced off, what comes later runs nothing."""
        self._connection.execute(
            "UPDATE jobs_job SET state = 'cancelled', arguments = arguments - 'drill'"
            " WHERE state IN ('queued', 'running')"
        )
        self.resolve()
        self._connection.close()

    def resolve(self) -> None:
        """Close every dead letter."""
        self._connection.execute(
            "UPDATE jobs_deadletter SET resolved_at = now() WHERE resolved_at IS NULL"
        )

    def effects(self, jobs: Sequence[str]) -> tuple[int, int]:
        """Return how many of the jobs have a report, and how many reports they have together."""
        query = (
            "SELECT count(DISTINCT job_id), count(*) FROM reports_report WHERE job_id = ANY (%s)"
        )
        row = self._connection.execute(query, [list(jobs)]).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def done(self, job: str) -> bool:
        return self.effects([job])[0] == 1

    def runs(self, jobs: Sequence[str]) -> int:
        """Return how many runs of the jobs have begun."""
        return self.number("SELECT count(*) FROM jobs_run WHERE job_id = ANY (%s)", list(jobs))

    def waiting(self, jobs: Sequence[str]) -> int:
        """Return how many of the jobs no worker has begun."""
        query = (
            "SELECT count(*) FROM unnest(%s::uuid[]) AS job"
            " WHERE NOT EXISTS (SELECT FROM jobs_run WHERE job_id = job)"
        )
        return self.number(query, list(jobs))

    def number(self, query: str, *args: object) -> int:
        row = self._connection.execute(query, args).fetchone()
        return int(row[0]) if row else 0

    def rows(self, query: str, *args: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, args).fetchall()


def broker(stack: Stack) -> str:
    return "rabbitmq" if "rabbitmq" in stack.services else "redis"


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
    document = {**QUICK, **more, **({"drill": drill} if drill else {})}
    return Request(
        f"{stack.url}/api/{variant}/reports/", headers, "POST", json.dumps(document).encode()
    )


def accepted(answer: Answer, status: int = 202) -> str:
    """Return the id of the job that was asked for.

    Raises:
        UnexpectedAnswer: the answer has another status.
    """
    document = json.loads(expect(answer, status).body)
    return str(document.get("id") or document["job"])


def submitted(requests: Sequence[Request]) -> list[str]:
    """Send all of them, and return the ids of their jobs.

    Many are sent by client processes, which take longer to start than a few requests do.
    """
    if len(requests) > FEW:
        return [accepted(answer) for answer in volley(requests, processes=2, connections=8)]
    with ThreadPoolExecutor(8) as pool:
        return [accepted(answer) for answer in pool.map(ask, requests)]


def working(database: Database, stack: Stack, variant: str) -> None:
    """Return once a job of the variant is done: what an earlier experiment did to the broker is over.

    Celery's own worker pauses for up to 30 s after the death of its broker, and over the Redis protocol it
    may end with it; that is not what the next claim is about, and it is started anew. It is killed, because
    it hears no signal while it pauses; what it had fetched is nothing that anybody waits for.

    Raises:
        ExperimentError: no job is done.
    """
    done = behind(database, stack, variant)
    if variant == "fire_and_forget" and not until(done, 2):
        stack.kill(WORKER[variant])
        stack.start(WORKER[variant])
        done = behind(database, stack, variant)
    if not until(done, 30):
        raise ExperimentError("the workers do nothing, or are busy without a reason")


def behind(database: Database, stack: Stack, variant: str) -> Callable[[], bool]:
    """Ask for one more job; return what tells whether it is done.

    A queue is first in, first out: with that job done, one that was asked for before and was not begun
    is gone, unless the solution finds it missing, and sends it again.

    Raises:
        ExperimentError: it is not accepted, although the broker is there.
    """
    jobs: list[str] = []

    def asked() -> bool:
        answer = ask(asking(stack, variant))
        jobs.extend([accepted(answer)] if answer.status == 202 else [])
        return bool(jobs)

    if not until(asked, 30, 0.5):
        raise ExperimentError("no job is accepted")
    return lambda: database.effects(jobs)[0] == 1


def counted(database: Database, jobs: Sequence[str]) -> Iterator[Sample]:
    """Yield how many jobs have an effect, and how many wait."""
    yield EFFECTS(database.effects(jobs)[0])
    yield WAITING(database.waiting(jobs))


def followed(
    database: Database, stack: Stack, variant: str, jobs: Sequence[str]
) -> Iterator[Sample]:
    """Yield how many jobs have an effect: until all have, or no other has had one for a minute.

    Of the naive variant, what was asked for before a job that is done and is not done itself is lost.
    """
    final = behind(database, stack, variant)
    never = variant == "fire_and_forget"
    done, changed, quiet = -1, time.monotonic(), 0.0
    while done < len(jobs) and quiet < PATIENCE and not (never and quiet > GONE and final()):
        rest(0.1)
        now, every = database.effects(jobs)
        if now != done:
            done, changed = now, time.monotonic()
            yield EFFECTS(done)
            yield EXTRA(every - done)
            yield WAITING(database.waiting(jobs))
        quiet = time.monotonic() - changed
    rest(0.5)  # what is done twice is done about now
    done, every = database.effects(jobs)
    yield EXTRA(every - done)


def all_once(samples: Samples, count: float) -> Verdict:
    """Judge whether all jobs are done, each with one effect."""
    done = Verdict.exactly(samples.last(EFFECTS), count, "{measured} of {bound} jobs done")
    twice = Verdict.at_most(samples.last(EXTRA), 0, "{measured} effects too many")
    return done & twice
