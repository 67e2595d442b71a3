"""Runs of jobs: claimed with a fencing token, kept alive by heartbeats, ended together with their effects.

Messages arrive at least once; effects happen once. M. Kleppmann, How to do distributed locking (2016).
"""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from django.db import connection, transaction

from . import sql
from .ends import AWAY, ended, give_up, settle
from .heart import beating
from .run import Effect, Outcome, Policy, Run, Work
from .watch import CANARY

logger = logging.getLogger(__name__)


def perform(
    jobs: Sequence[UUID], redelivered: bool, worker: str, work: Mapping[str, Work], policy: Policy
) -> dict[UUID, Outcome]:
    """Run those of *jobs* that are there to be run; a message that came twice runs nothing.

    Args:
        jobs: of one message; several share a transaction for their beginning and one for their end.
        redelivered: the broker says that the consumer which had this message is gone.
    """
    runs = begun(jobs, redelivered, worker, policy)
    if redelivered and len(jobs) > 1:
        # One of them may have killed the process: what it had begun comes again, each job alone.
        sql.rows("release", jobs=list(set(jobs) - {run.job for run in runs}))
    outcomes = dict.fromkeys(jobs, Outcome.NOTHING)
    ready: list[tuple[Run, Effect]] = []
    with beating(runs, policy.lease_seconds):
        for run in runs:
            outcomes[run.job] = ended(run, policy, partial(prepare, run, work, policy, ready))
    outcomes |= finished(ready, policy)
    for run in runs:
        if run.kind != CANARY:  # one a second need not be told of
            logger.info("job=%s run=%d outcome=%s", run.job, run.attempt, outcomes[run.job])
    return outcomes


def begun(jobs: Sequence[UUID], redelivered: bool, worker: str, policy: Policy) -> list[Run]:
    """Claim the jobs, by a new connection if that of the last run is broken."""
    claim = partial(
        sql.rows,
        "claim",
        jobs=list(jobs),
        worker=worker,
        lease=policy.lease_seconds,
        redelivered=redelivered,
        most_losses=policy.most_losses,
    )
    try:
        claimed = claim()
    except AWAY:
        connection.close()
        claimed = claim()
    return [
        Run(job, attempt, failures, losses, kind, json.loads(arguments))
        for job, attempt, failures, losses, kind, arguments in claimed
    ]


def prepare(
    run: Run, work: Mapping[str, Work], policy: Policy, ready: list[tuple[Run, Effect]]
) -> Outcome:
    """Do the slow part of *run*, and put what remains to be written with the others."""
    if run.losses > policy.most_losses:  # whatever it does to its process, it shall do it no more
        return give_up(run, "lost too often", f"{run.losses} runs ended without a word")
    ready.append((run, work[run.kind](run)))
    return Outcome.DONE


def finished(ready: Sequence[tuple[Run, Effect]], policy: Policy) -> dict[UUID, Outcome]:
    """Complete all together; where one effect fails, all are rolled back, and each is completed alone."""
    if len(ready) > 1:
        try:
            return complete(ready)
        except Exception as error:
            logger.warning("%d jobs are completed one by one: %s", len(ready), error)
    return {run.job: ended(run, policy, partial(alone, run, effect)) for run, effect in ready}


def alone(run: Run, effect: Effect) -> Outcome:
    return complete([(run, effect)])[run.job]


def complete(ready: Sequence[tuple[Run, Effect]]) -> dict[UUID, Outcome]:
    """Write effects and the ends of their jobs together, of those runs that still own their job."""
    outcomes = {run.job: Outcome.FENCED for run, _ in ready}
    with transaction.atomic():
        owned = settle([run for run, _ in ready], "done")  # first: locks the rows until the end
        for run, effect in ready:
            if run.job in owned:
                effect()
                outcomes[run.job] = Outcome.DONE
    return outcomes
