"""What is lost is found: runs without a word, messages without a consumer."""

from dataclasses import replace

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from jobs import watch
from jobs.models import DeadLetter, Job, State
from jobs.run import Outcome
from jobs.runs import perform
from jobs.submit import submit
from jobs.sweep import sweep
from jobs.topology import BULK, QUICK
from jobs.watch import look, send_canary
from rows import elsewhere, outbox

pytestmark = pytest.mark.django_db(transaction=True)


def set_job(job, assignments):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE jobs_job SET {assignments} WHERE id = %s", [job])


RUNNING = "state = 'running', sent_at = now(), lease_until = now() {} interval '1 hour'"
SENT = "sent_at = now() - interval '2 hours'"


@pytest.fixture
def policy(policy):
    """After an hour a message that was sent, and is nowhere, is lost."""
    return replace(policy, unseen_seconds=3_600)


@pytest.mark.parametrize(
    ("assignments", "waiting"),
    [
        (RUNNING.format("+"), 0),
        (SENT, 1),  # it may be the one that waits
        ("sent_at = now()", 0),
        ("state = 'done', finished_at = now(), lease_until = now() - interval '1 hour'", 0),
    ],
)
def test_job_that_is_looked_after_is_left_alone(job, policy, assignments, waiting):
    set_job(job, assignments)

    assert sweep(BULK, waiting, policy) == 0
    assert not outbox().exists()


@pytest.mark.parametrize("assignments", [RUNNING.format("-"), SENT])
def test_lost_job_is_sent_again_once(job, policy, assignments):
    set_job(job, assignments)

    assert sweep(QUICK, 0, policy) == 0
    assert [sweep(BULK, 0, policy) for _ in range(2)] == [1, 0]
    assert outbox().get().alone


@pytest.mark.report(
    "oban-bg/oban#477",
    "one statement changes all of many jobs, takes longer than it may, and is begun anew",
    "a sweep sends at most 5,000 lost jobs again, and the next one others",
)
def test_many_lost_jobs_are_sent_again_by_several_sweeps(policy):
    for _ in range(5):
        set_job(submit("test", {}, queue=BULK), SENT)

    assert [sweep(BULK, 0, policy, most=2) for _ in range(4)] == [2, 2, 1, 0]
    assert outbox().count() == 5


def test_run_that_is_lost_counts_until_it_was_one_too_many(job, policy):
    set_job(job, RUNNING.format("-") + ", losses = 3")

    sweep(BULK, 1, policy)

    assert perform([job], False, "worker", {}, policy)[job] is Outcome.DEAD
    assert Job.objects.get(id=job).state == State.DEAD
    assert DeadLetter.objects.get().reason == "lost too often"


def test_two_relays_send_a_lost_job_once(job, policy):
    """The second does not wait for the first, and finds nothing left."""
    set_job(job, RUNNING.format("-"))

    with transaction.atomic():
        assert sweep(BULK, 0, policy) == 1
        assert elsewhere(lambda: sweep(BULK, 0, policy)) == 0
    assert elsewhere(lambda: sweep(BULK, 0, policy)) == 0
    assert outbox().count() == 1


def test_silence_is_a_problem_and_a_run_ends_it(policy, monkeypatch):
    monkeypatch.setattr(watch, "SILENCE_SECONDS", 60)
    send_canary(BULK)
    (canary,) = outbox()
    outbox().update(sent_at=Now())
    send_canary(BULK)
    assert not outbox().exists()  # one is on its way
    assert look([BULK])["problems"]

    perform([canary.id], False, "worker", {"canary": lambda _: lambda: None}, policy)

    assert look([BULK])["problems"] == []


def test_key_of_a_client_names_no_canary():
    """Clients choose their keys; a canary has none."""
    mine = submit("test", {}, queue=BULK, key=f"canary:{BULK}")

    send_canary(BULK)

    assert Job.objects.filter(kind="canary").count() == 1
    assert Job.objects.get(id=mine).kind == "test"
