"""One run of a job: claimed with a fencing token, kept alive by heartbeats, ended together with its effect.

Messages arrive at least once; effects happen once. M. Kleppmann, How to do distributed locking (2016).
"""

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import OperationalError, close_old_connections, connection, transaction

from . import sql
from .backoff import Backoff
from .heart import heart

logger = logging.getLogger(__name__)


QUIET = "canary"  # one a second need not be told of in the log


class Transient(Exception):
    """What may be gone at the next try: a timeout, a 503, a lock."""


class Fenced(Exception):
    """Somebody else has this job by now, or nobody shall have it any more."""


class Outcome(StrEnum):
    DONE = "done"
    RETRIED = "retried"
    DEAD = "dead"
    FENCED = "fenced"
    NOTHING = "nothing to run"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient jobs are; times in seconds."""

    lease: float
    most_attempts: int
    most_losses: int
    backoff: Backoff


@dataclass(slots=True)
class Run:
    """What the work may know and say while it runs."""

    job: UUID
    attempt: int
    failures: int  # of the runs before
    arguments: Mapping[str, Any]
    correlation: str
    percent: int = 0  # the next heartbeat tells it
    fenced: bool = False  # the last heartbeat found somebody else, or nobody, in its place

    def progress(self, share: float) -> None:
        """Tell how much is done, between 0 and 1.

        Raises:
            Fenced: the job was cancelled or taken over; going on is of no use.
        """
        if self.fenced:
            raise Fenced
        self.percent = int(100 * share)


type Effect = Callable[[], None]
type Work = Callable[[Run], Effect]
"""Does the slow part, without touching the database, and returns what remains to be written."""


def perform(
    job: UUID, redelivered: bool, worker: str, work: Mapping[str, Work], policy: Policy
) -> Outcome:
    """Run *job* if it is there to be run; a message that came twice runs nothing.

    Args:
        redelivered: the broker says that the consumer which had this message is gone.
    """
    claimed = begun(
        job=job,
        worker=worker,
        lease=policy.lease,
        redelivered=redelivered,
        most_losses=policy.most_losses,
    )
    if not claimed:
        return Outcome.NOTHING
    attempt, failures, losses, kind, arguments, correlation = claimed[0]
    if losses > policy.most_losses:
        bury(job, "lost too often", f"{losses} runs ended without a word")
        return Outcome.DEAD
    run = Run(job, attempt, failures, json.loads(arguments), correlation)
    outcome = ended(run, lambda run: work[kind](run), policy)
    if kind != QUIET:
        logger.info("job=%s run=%d outcome=%s correlation=%s", job, attempt, outcome, correlation)
    return outcome


def begun(**parameters: Any) -> list[tuple[Any, ...]]:
    """Claim a job, by a new connection if that of the last run is broken."""
    try:
        return sql.rows("claim", **parameters)
    except OperationalError:
        connection.close()
        return sql.rows("claim", **parameters)


def ended(run: Run, work: Work, policy: Policy) -> Outcome:
    """Do the work, and end the run as its end asks for; a time limit is an error like others."""
    try:
        with heart(policy.lease).beating(run):
            effect = work(run)
        complete(run, effect)
    except Fenced:
        return Outcome.FENCED
    except (
        Transient,
        OperationalError,
    ) as error:  # a database that was away is no reason to give up
        return retry(run, error, policy)
    except Exception as error:
        return give_up(run, f"{type(error).__name__}: {error}", traceback.format_exc())
    return Outcome.DONE


def complete(run: Run, effect: Effect) -> None:
    """Write the effect and the end of the job together, if the run still owns the job.

    Raises:
        Fenced: it does not; nothing is written.
    """
    with transaction.atomic():
        settle(run, "done")  # first: the row is locked until the effect is written
        effect()


def retry(run: Run, error: Exception, policy: Policy) -> Outcome:
    """Put the job back with a delay; past the last attempt, give it up."""
    close_old_connections()  # the error may be that of the connection
    failures = run.failures + 1
    if failures >= policy.most_attempts:
        return give_up(run, f"failed {failures} times", str(error))
    delay = policy.backoff.delay(failures)
    try:
        with transaction.atomic():
            settle(run, "queued", str(error))
            sql.rows("send", job=run.job, delay=delay)
    except Fenced:
        return Outcome.FENCED
    return Outcome.RETRIED


def give_up(run: Run, reason: str, detail: str) -> Outcome:
    """End the job with a dead letter that says why."""
    with transaction.atomic():
        if not sql.rows("beat", job=run.job, attempt=run.attempt, lease=0, progress=0):
            return Outcome.FENCED
        bury(run.job, reason, detail)
    logger.error("job=%s is dead: %s correlation=%s", run.job, reason, run.correlation)
    return Outcome.DEAD


def bury(job: UUID, reason: str, detail: str) -> bool:
    """Give *job* up; False if it had ended already."""
    return bool(sql.rows("bury", job=job, reason=reason, detail=detail))


def settle(run: Run, state: str, error: str = "") -> None:
    if not sql.rows("settle", job=run.job, attempt=run.attempt, state=state, error=error):
        raise Fenced
