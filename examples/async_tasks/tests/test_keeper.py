"""What is lost is found: runs without a word, messages without a consumer."""

import psycopg
import pytest
from django.db import connection
from jobs import keeper, watch
from jobs.models import DeadLetter, Job, Outbox, State
from jobs.runs import perform
from jobs.submit import submit
from jobs.topology import BULK
from jobs.watch import look, send_canaries

pytestmark = pytest.mark.django_db(transaction=True)


def set_job(job, assignments):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE jobs_job SET {assignments} WHERE id = %s", [job])
    Outbox.objects.all().delete()


RUNNING = "state = 'running', sent_at = now(), lease_until = now() {} interval '1 hour'"
SENT = "sent_at = now() - interval '2 hours'"
HOUR_SECONDS = 3_600  # after which a message that was sent, and is nowhere, is lost


@pytest.mark.parametrize(
    ("assignments", "depths"),
    [
        (RUNNING.format("+"), {BULK: 0}),
        (SENT, {BULK: 1}),  # it may be the one that waits
        (SENT, None),  # no broker says anything
        ("sent_at = now()", {BULK: 0}),
        ("state = 'done', lease_until = now() - interval '1 hour'", {BULK: 0}),
    ],
)
def test_job_that_is_looked_after_is_left_alone(job, policy, assignments, depths):
    set_job(job, assignments)

    assert keeper.sweep(policy, HOUR_SECONDS, depths) == 0
    assert not Outbox.objects.exists()


@pytest.mark.parametrize("assignments", [RUNNING.format("-"), SENT])
def test_lost_job_is_sent_again_once(job, policy, assignments):
    set_job(job, assignments)

    assert [keeper.sweep(policy, HOUR_SECONDS, {BULK: 0}) for _ in range(2)] == [1, 0]
    assert Outbox.objects.count() == 1


def test_job_that_was_lost_too_often_is_dead(job, policy):
    set_job(job, RUNNING.format("-") + ", losses = 3")

    keeper.sweep(policy, 5, {})

    assert Job.objects.get(id=job).state == State.DEAD
    assert DeadLetter.objects.get().reason == "lost too often"
    assert not Outbox.objects.exists()


def test_second_keeper_waits_for_the_first():
    settings = connection.get_connection_params()
    where = {key: settings[key] for key in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**where, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [keeper.LOCK])
        assert not keeper.is_active()
        other.execute("SELECT pg_advisory_unlock_all()")  # as the end of its connection does
        assert keeper.is_active()
        assert keeper.is_active()
    connection.close()


def test_silence_is_a_problem_and_a_run_ends_it(policy, monkeypatch):
    monkeypatch.setattr(watch, "SILENCE_SECONDS", 60)
    send_canaries([BULK])
    send_canaries([BULK])
    (canary,) = Job.objects.all()
    assert Outbox.objects.count() == 1
    assert list(look([BULK]).problems())

    perform([canary.id], False, "worker", {"canary": lambda _: lambda: None}, policy)

    assert list(look([BULK]).problems()) == []


def test_key_of_a_client_names_no_canary():
    """Clients choose their keys; a canary has none."""
    mine, _ = submit("test", {}, queue=BULK, key=f"canary:{BULK}")

    send_canaries([BULK])

    assert Job.objects.filter(kind="canary").count() == 1
    assert Job.objects.get(id=mine).kind == "test"
