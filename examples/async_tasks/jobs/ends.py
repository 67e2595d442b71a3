"""How a run ends: done, tried again later, given up, or fenced off because it is no longer the job's."""

import logging
import traceback
from collections.abc import Callable, Collection, Sequence
from typing import Final
from uuid import UUID

from django.db import InterfaceError, InternalError, OperationalError, connection, transaction

from . import sql
from .models import DeadLetter
from .run import Outcome, Policy, Run, Transient

logger = logging.getLogger(__name__)

# A database that is away, or takes no writes: the last is an InternalError, of a connection that works.
AWAY: Final = (OperationalError, InterfaceError, InternalError)


def ended(run: Run, policy: Policy, step: Callable[[], Outcome]) -> Outcome:
    """Take a step of the run, and end it as an error asks for; a time limit is an error like others."""
    try:
        return step()
    except (Transient, *AWAY) as error:
        return retry(run, told(error), policy)
    except Exception as error:
        return give_up(run, told(error), traceback.format_exc())


def told(error: Exception) -> str:
    """Return its type and its text; of an error whose own `__str__` fails, that it does."""
    return "".join(traceback.format_exception_only(error)).strip()


def settle(runs: Sequence[Run], state: str, error: str = "", delay: float = 0) -> Collection[UUID]:
    """End the runs, and return the jobs that they still owned."""
    jobs, attempts = [run.job for run in runs], [run.attempt for run in runs]
    said = {"state": state, "error": sql.storable(error), "delay": delay}
    return {job for (job,) in sql.rows("settle", jobs=jobs, attempts=attempts, **said)}


def retry(run: Run, error: str, policy: Policy) -> Outcome:
    """Put the job back with a delay; past the last attempt, give it up."""
    connection.close()  # it may be gone, or lead to a server that is a standby by now
    failures = run.failures + 1
    if failures >= policy.most_attempts:
        return give_up(run, f"failed {failures} times", error)
    owned = settle([run], "queued", error, policy.backoff.delay(failures))
    return Outcome.RETRIED if owned else Outcome.FENCED


def give_up(run: Run, reason: str, detail: str) -> Outcome:
    """End the job with a dead letter that says why."""
    said = {"reason": sql.storable(reason, 1000), "detail": sql.storable(detail)}
    with transaction.atomic():
        if not settle([run], "dead", reason):
            return Outcome.FENCED
        DeadLetter.objects.create(job_id=run.job, **said)
    logger.error("job=%s is dead: %s", run.job, reason)
    return Outcome.DEAD
