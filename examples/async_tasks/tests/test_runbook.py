"""The runbook of the write-up: each thing that is seen, brought about, and what an operator is told of it."""

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from jobs import watch
from jobs.management.commands.jobs import shown
from jobs.models import DeadLetter, Job, Run, State
from jobs.run import Transient
from jobs.runs import perform
from jobs.submit import submit
from jobs.sweep import sweep
from jobs.topology import BULK, QUICK
from jobs.watch import send_canary
from rows import outbox

pytestmark = pytest.mark.django_db(transaction=True)

HEALTH = "/api/durable/health/"


@pytest.fixture(autouse=True)
def _silence(monkeypatch):
    """A busy machine may keep a test for longer than the 4 s after which a queue is silent."""
    monkeypatch.setattr(watch, "SILENCE_SECONDS", 60)


def sent(job, seconds_ago):
    """The relay has handed the message over, and the broker has confirmed it."""
    Job.objects.filter(id=job).update(sent_at=Now() - timedelta(seconds=seconds_ago))


def begun(job, worker="bulk-7@host"):
    """A worker has claimed the job, and has not ended it."""
    Job.objects.filter(id=job).update(
        state=State.RUNNING,
        attempts=1,
        sent_at=Now(),
        lease_until=Now() + timedelta(seconds=60),
    )
    Run.objects.create(job_id=job, attempt=1, worker=worker)


def busy():
    """Runs begin on both queues."""
    for queue in (BULK, QUICK):
        begun(submit("test", {}, queue=queue))
    outbox().update(sent_at=Now())


def problems(client):
    answer = client.get(HEALTH)
    found = answer.json()["problems"]
    assert answer.status_code == (503 if found else 200)
    return found


def queue_of(client, name):
    """What the health says of a queue."""
    return next(each for each in client.get(HEALTH).json()["queues"] if each["name"] == name)


def test_job_stays_queued_because_the_relay_is_away(client, job):
    busy()
    Job.objects.filter(id=job).update(due_at=Now() - timedelta(seconds=30), sent_at=None)

    (said,) = problems(client)
    assert re.fullmatch(r"nothing has been sent for [3-8]\d s", said)
    assert any("sent never" in line for line in shown(job))


def test_task_vanished_because_the_broker_forgot_it(job, policy):
    sent(job, 30)
    assert not any(line.startswith("run ") for line in shown(job))

    assert sweep(BULK, 0, policy) == 1
    assert outbox().get().id == job


def test_job_stays_running_because_its_worker_is_gone(job, policy):
    begun(job)
    assert any("bulk-7@host" in line for line in shown(job))
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))

    assert sweep(BULK, 1, policy) == 1
    assert Job.objects.get().state == State.QUEUED


def test_worker_is_silent(client):
    for queue in (BULK, QUICK):
        send_canary(queue)
    outbox().update(sent_at=Now())

    assert problems(client) == [f"nothing has begun on {queue} for 60 s" for queue in (QUICK, BULK)]
    assert not queue_of(client, BULK)["alive"]


def test_queue_grows_and_health_is_green(client):
    busy()
    for _ in range(3):
        sent(submit("test", {}, queue=BULK), 90)

    assert problems(client) == []
    assert queue_of(client, BULK)["waiting"] == 3
    assert queue_of(client, BULK)["oldest_seconds"] >= 90


def test_dead_letter_says_why_and_health_asks_for_somebody(client, job, policy):
    busy()

    def fail(_run):
        raise Transient("the upstream answers 503")

    for _ in range(policy.most_attempts):
        perform([job], False, "worker", {"test": fail}, policy)
    outbox().update(sent_at=Now())

    assert problems(client) == ["1 dead letters are open"]
    assert "the upstream answers 503" in "\n".join(shown(job))
    assert DeadLetter.objects.get().reason == "failed 3 times"
