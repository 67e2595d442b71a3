"""Who may run a job, and what a run may write: against a real database."""

import ctypes
import re
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from jobs import sql
from jobs.backoff import Backoff
from jobs.ends import ended
from jobs.management.commands.jobs import replayed
from jobs.models import DeadLetter, Job, Run, State
from jobs.run import Outcome, Transient
from jobs.run import Run as Stale
from jobs.runs import alone, perform
from jobs.submit import submit
from jobs.sweep import sweep
from jobs.topology import BULK, QUICK
from rows import outbox

pytestmark = pytest.mark.django_db(transaction=True)


def run(job, policy, work=lambda _: lambda: None, redelivered=False):
    return perform([job], redelivered, "worker", {"test": work}, policy)[job]


def age(job, **fields):
    """Let the lease of a run be over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE jobs_job SET lease_until = now() - interval '1 second' WHERE id = %s", [job]
        )
    Job.objects.filter(id=job).update(**fields) if fields else None


def beaten(job):
    """Return the lease of a job once the heart of its run has beaten."""
    before = until = Job.objects.get(id=job).lease_until
    deadline = time.monotonic() + 60
    while until == before:
        assert time.monotonic() < deadline, "the lease stays as it was"
        time.sleep(0.02)
        until = Job.objects.get(id=job).lease_until
    return until


def never(_run):
    raise AssertionError("this must not be run")


def test_unknown_job_runs_nothing(policy):
    assert run(uuid.uuid4(), policy, never) is Outcome.NOTHING


@pytest.mark.parametrize("state", [State.DONE, State.DEAD, State.CANCELLED])
def test_message_of_an_ended_job_runs_nothing(job, policy, state):
    Job.objects.filter(id=job).update(state=state)

    assert run(job, policy, never) is Outcome.NOTHING
    assert run(job, policy, never, redelivered=True) is Outcome.NOTHING


def test_message_that_came_twice_runs_nothing_while_the_first_is_run(job, policy):
    outcomes = []

    def work(_run):
        outcomes.append(run(job, policy, never))
        return lambda: None

    assert run(job, policy, work) is Outcome.DONE
    assert outcomes == [Outcome.NOTHING]


@pytest.mark.parametrize("how", ["redelivered", "lease over"])
def test_run_that_was_taken_over_writes_nothing(job, policy, how):
    effects = []

    def frozen(_run):
        if how == "lease over":
            age(job)
        second = run(
            job, policy, lambda _: lambda: effects.append(2), redelivered=how == "redelivered"
        )
        assert second is Outcome.DONE
        return lambda: effects.append(1)

    assert run(job, policy, frozen) is Outcome.FENCED
    assert effects == [2]
    assert Job.objects.get(id=job).state == State.DONE


@pytest.mark.parametrize("how", ["done", "tried again", "given up"])
def test_run_that_ends_while_its_successor_still_runs_writes_nothing(job, policy, how):
    """Both find the job running: the fencing token alone tells the stale run from its successor."""
    for redelivered in (False, True):
        assert sql.rows("claim", **claim([job], policy) | {"redelivered": redelivered})
    effects = []

    def work(_run):
        if how == "done":
            return lambda: effects.append(1)
        raise Transient("503") if how == "tried again" else ValueError("month 13")

    stale = Stale(job, 1, 0, 0, "test", {})
    assert ended(stale, policy, lambda: alone(stale, work(stale))) is Outcome.FENCED
    assert effects == []
    assert Job.objects.get(id=job).state == State.RUNNING
    assert not DeadLetter.objects.exists()


def test_heartbeat_of_a_stale_run_extends_no_lease_of_its_successor(job, policy):
    for _ in range(2):
        assert sql.rows("claim", **claim([job], policy) | {"redelivered": True})
    beat = {"job": job, "lease": 600}

    assert [len(sql.rows("beat", attempt=attempt, **beat)) for attempt in (1, 2)] == [0, 1]


OPERATING = (Path(__file__).parents[1] / "OPERATING.md").read_text("utf-8")
(CANCEL,) = re.findall(r"`(UPDATE jobs_job SET state = 'cancelled'.*?)`", OPERATING)


def test_run_of_a_job_that_is_cancelled_as_the_page_says_writes_nothing(job, policy):
    effects = []

    def work(_run):
        with connection.cursor() as cursor:
            cursor.execute(CANCEL.replace("…", str(job)))
        return lambda: effects.append(1)

    assert run(job, policy, work) is Outcome.FENCED
    assert effects == []
    assert not outbox().exists()
    assert Job.objects.get(id=job).state == State.CANCELLED


def test_effect_that_fails_is_rolled_back_with_the_end_of_the_job(job, policy):
    def effect():
        Run.objects.create(job_id=job, attempt=99, worker="effect")
        raise ValueError("the disk is full")

    assert run(job, policy, lambda _run: effect) is Outcome.DEAD
    assert not Run.objects.filter(attempt=99).exists()
    assert Job.objects.get(id=job).state == State.DEAD


def test_permanent_error_is_a_dead_letter_with_its_traceback(job, policy):
    def work(_run):
        raise ValueError("month 13")

    assert run(job, policy, work) is Outcome.DEAD
    letter = DeadLetter.objects.get(job_id=job)
    assert letter.reason == "ValueError: month 13"
    assert "Traceback" in letter.detail


def test_kind_that_nobody_knows_is_a_dead_letter(policy):
    job = submit("unheard of", {}, queue=BULK)

    assert run(job, policy) is Outcome.DEAD


def test_database_that_was_away_is_no_reason_to_give_up(job, policy):
    def work(_run):
        raise OperationalError("the connection is closed")

    assert run(job, policy, work) is Outcome.RETRIED


def end_connection(database_url):
    """Let the database end the connection that the jobs of this process use."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        while other.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            time.sleep(0.01)


def test_run_after_the_connection_broke_begins_on_a_new_one(job, policy, database_url):
    end_connection(database_url)

    assert run(job, policy) is Outcome.DONE


def lead_to_a_standby():
    """From here on, the connection of this process takes no writes, as one to a server that was replaced."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")


@pytest.mark.report(
    "nautobot/nautobot#2477",
    "a process that is connected to a read-only PostgreSQL ends by an error at its first write",
    "a run that cannot be written down is tried again later, on a new connection",
)
def test_database_that_takes_no_writes_is_no_reason_to_give_up(job, policy):
    lead_to_a_standby()

    def work(_run):
        lead_to_a_standby()
        return lambda: None

    assert run(job, policy, work) is Outcome.RETRIED
    assert Job.objects.get(id=job).state == State.QUEUED


@pytest.mark.parametrize("needed", ["by the work", "by the end"])
def test_run_whose_connection_breaks_is_sent_again(job, policy, database_url, needed):
    def work(_run):
        end_connection(database_url)
        if needed == "by the work":
            Job.objects.count()
        return lambda: None

    assert run(job, policy, work) is Outcome.RETRIED
    assert Job.objects.get(id=job).state == State.QUEUED


def test_run_that_lasted_is_written_down_though_its_idle_connection_was_ended(
    job, policy, database_url
):
    def work(_run):
        beaten(job)
        end_connection(database_url)
        return lambda: None

    assert run(job, replace(policy, lease_seconds=4), work) is Outcome.DONE


def fail(_run):
    raise Transient("503")


def test_transient_error_is_sent_again_within_the_backoff(job, policy):
    outbox().update(sent_at=Now())
    longest = Backoff(600, 600, lambda _low, high: high)

    assert run(job, replace(policy, backoff=longest), fail) is Outcome.RETRIED
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM due_at - now()) FROM jobs_job")
        ((delay,),) = cursor.fetchall()
    assert 0 < delay <= 600
    assert outbox().get().alone


def test_transient_error_is_a_dead_letter_at_the_last_attempt(job, policy):
    outcomes = [run(job, policy, fail) for _ in range(3)]

    assert outcomes == [Outcome.RETRIED, Outcome.RETRIED, Outcome.DEAD]
    assert DeadLetter.objects.get(job_id=job).reason == "failed 3 times"


def test_lost_run_is_found_though_the_relay_died_before_it_noted_that_it_was_sent(job, policy):
    assert sql.rows("claim", **claim([job], policy))
    assert not outbox().exists()
    age(job)

    assert sweep(BULK, 1, policy) == 1


def test_fourth_loss_is_the_last(job, policy):
    for _ in range(policy.most_losses + 1):
        assert sql.rows("claim", **claim([job], policy) | {"redelivered": True})

    assert run(job, policy, never, redelivered=True) is Outcome.DEAD
    assert Run.objects.filter(job_id=job).count() == policy.most_losses + 1
    assert DeadLetter.objects.get(job_id=job).reason == "lost too often"


def test_replayed_job_has_all_its_attempts_again(job, policy):
    for _ in range(3):
        run(job, policy, fail)
    assert replayed(job, {"month": 2})
    assert outbox().get(due_at__lte=Now()).id == job
    seen = []

    def work(run):
        seen.append(run.arguments)
        return lambda: None

    assert run(job, policy, fail) is Outcome.RETRIED
    assert run(job, policy, work) is Outcome.DONE
    assert seen == [{"month": 2}]
    assert not DeadLetter.objects.filter(resolved_at=None).exists()


@pytest.mark.report(
    "janbjorge/pgqueuer#430",
    "heartbeats come so seldom that a job that still runs is picked up again",
    "the heart beats four times for each lease",
)
def test_heartbeat_extends_the_lease(job, policy):
    def work(_run):
        before = Job.objects.get(id=job).lease_until
        until = beaten(job)
        assert until < before + timedelta(seconds=4)  # it was alive, and long before its end
        return lambda: None

    assert run(job, replace(policy, lease_seconds=4), work) is Outcome.DONE


@pytest.mark.report(
    "celery/django-celery-results#82",
    "an error text with a NUL cannot be stored, and the run ends without a word",
    "the job is dead after one run, its text is kept with `\\\\x00`",
)
@pytest.mark.parametrize("said", ["bad \x00 record", "half of a character \ud83d", "x" * 10**6])
def test_error_text_that_cannot_be_stored_is_a_dead_letter_after_one_run(job, policy, said):
    def work(_run):
        raise ValueError(said)

    assert run(job, policy, work) is Outcome.DEAD
    letter = DeadLetter.objects.get(job_id=job)
    assert letter.reason.startswith(f"ValueError: {said[:4]}")
    assert Job.objects.get(id=job).attempts == 1


def test_error_text_of_a_retry_is_cleaned_too(job, policy):
    def work(_run):
        raise Transient("503 \x00")

    assert run(job, policy, work) is Outcome.RETRIED
    assert Job.objects.get(id=job).error == "jobs.run.Transient: 503 \\x00"


@pytest.mark.report(
    "celery/celery#92",
    "an error whose text cannot be made breaks the handling of the failure, and workers hang",
    "the run ends as with any other error, and its text says that it has none",
)
@pytest.mark.parametrize(
    ("kind", "outcome"), [(Transient, Outcome.RETRIED), (ValueError, Outcome.DEAD)]
)
def test_error_that_cannot_say_what_it_is_ends_its_run_as_others_do(job, policy, kind, outcome):
    class Unsayable(kind):
        def __str__(self):
            raise UnicodeError

    def work(_run):
        raise Unsayable

    assert run(job, policy, work) is outcome
    assert "Unsayable" in Job.objects.get(id=job).error


HOLD = ctypes.PyDLL(None).usleep  # of the C library; called without giving up the GIL


@pytest.mark.report(
    "agno-agi/agno#9512",
    "work that blocks keeps its own heartbeat from beating: it is taken for dead, and is run again",
    "the job comes again, with one effect; `lease_seconds` says how long such a call may take",
)
@pytest.mark.parametrize(("lease", "outcome"), [(0.2, Outcome.FENCED), (30, Outcome.DONE)])
def test_run_whose_heartbeat_starves_has_one_effect(job, policy, lease, outcome):
    effects, interval = [], sys.getswitchinterval()

    def work(_run):
        sys.setswitchinterval(60)  # nor after the call does the heart beat before the other claims
        try:
            HOLD(400_000)  # microseconds
            run(job, policy, lambda _: lambda: effects.append(2))  # what the sweep would have sent
        finally:
            sys.setswitchinterval(interval)
        return lambda: effects.append(1)

    assert run(job, replace(policy, lease_seconds=lease), work) is outcome
    assert len(effects) == 1


def group(count, kind="test", **arguments):
    return [submit(kind, {**arguments, "n": n}, queue=QUICK) for n in range(count)]


def test_jobs_of_a_message_share_two_transactions(policy, django_assert_num_queries):
    jobs = group(20)

    with django_assert_num_queries(4):  # claim; begin, settle, commit
        outcomes = perform(jobs, False, "worker", {"test": lambda _: lambda: None}, policy)

    assert set(outcomes.values()) == {Outcome.DONE}
    assert Run.objects.count() == 20


def test_effect_that_fails_takes_none_of_its_group_along(policy):
    jobs = group(3)

    def work(run):
        def effect():
            Run.objects.create(job_id=run.job, attempt=99, worker="effect")
            if run.arguments["n"] == 1:
                raise ValueError("the disk is full")

        return effect

    outcomes = perform(jobs, False, "worker", {"test": work}, policy)

    assert list(outcomes.values()) == [Outcome.DONE, Outcome.DEAD, Outcome.DONE]
    assert Run.objects.filter(attempt=99).count() == 2


def test_run_of_a_group_that_was_taken_over_writes_nothing(policy):
    jobs = group(3)
    effects = []

    def work(run):
        if run.arguments["n"] == 0:
            age(jobs[1])
            perform([jobs[1]], False, "other", {"test": other}, policy)
        return lambda: effects.append((run.arguments["n"], "first"))

    def other(run):
        return lambda: effects.append((run.arguments["n"], "second"))

    outcomes = perform(jobs, False, "worker", {"test": work}, policy)

    assert outcomes[jobs[1]] is Outcome.FENCED
    assert sorted(effects) == [(0, "first"), (1, "second"), (2, "first")]


def test_group_of_a_process_that_is_gone_is_not_run_together_again(policy):
    jobs = group(3)
    outbox().update(sent_at=Now())
    Job.objects.update(sent_at=Now())
    assert len(sql.rows("claim", **claim(jobs[:2], policy))) == 2

    outcomes = perform(jobs, True, "worker", {"test": lambda _: lambda: None}, policy)

    assert [outcomes[job] for job in jobs] == [Outcome.NOTHING, Outcome.NOTHING, Outcome.DONE]
    assert sweep(QUICK, 1, policy) == 2
    assert set(outbox().values_list("id", "alone")) == {(job, True) for job in jobs[:2]}


def claim(jobs, policy):
    return {
        "jobs": jobs,
        "worker": "w",
        "lease": policy.lease_seconds,
        "redelivered": False,
        "most_losses": policy.most_losses,
    }


def test_two_workers_with_the_same_groups_do_not_wait_for_each_other(policy):
    """Rows are locked in one order: without it, PostgreSQL ends one of them as a deadlock."""
    jobs = group(200)

    def work(order):
        try:
            for _ in range(10):
                runs = sql.rows("claim", **claim(order, policy))
                ended = {"jobs": [run[0] for run in runs], "attempts": [run[1] for run in runs]}
                sql.rows("settle", **ended, state="queued", error="", delay=0)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, order) for order in (jobs, jobs[::-1]) * 2]:
            done.result()

    assert not Job.objects.filter(attempts=0).exists()
