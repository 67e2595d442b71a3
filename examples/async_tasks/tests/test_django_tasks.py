"""`django.tasks` with the rows and the outbox behind it."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.tasks.exceptions import InvalidTask
from django.utils import timezone
from jobs.models import Job, Outbox, State
from jobs.runs import Outcome, perform
from reports.durable import WORK
from reports.models import Report
from reports.tasks import keep_report

pytestmark = pytest.mark.django_db(transaction=True)


def asked():
    return {"job": str(uuid.uuid4()), "airline": "HA", "month": 1}


def test_queue_that_nobody_works_on_is_refused():
    with pytest.raises(InvalidTask):
        keep_report.using(queue_name="default").enqueue(**asked())


def test_rolled_back_task_leaves_no_job_and_no_message():
    with transaction.atomic():
        keep_report.enqueue(**asked())
        transaction.set_rollback(True)

    assert not Job.objects.exists()
    assert not Outbox.objects.exists()


def test_task_that_is_due_later_waits_in_the_outbox():
    keep_report.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(**asked())

    assert Outbox.objects.get().due_at > timezone.now() + timedelta(minutes=59)


def test_task_is_run_once_whatever_arrives_twice(policy):
    result = keep_report.enqueue(**asked())
    outcomes = [perform(uuid.UUID(result.id), False, "worker", WORK, policy) for _ in range(2)]

    assert outcomes == [Outcome.DONE, Outcome.NOTHING]
    assert Report.objects.count() == 1


def test_task_that_fails_leaves_nothing_of_what_it_wrote(policy):
    result = keep_report.enqueue(**{**asked(), "airline": "HAW"})

    outcome = perform(uuid.UUID(result.id), False, "worker", WORK, policy)

    assert outcome == Outcome.DEAD
    assert Job.objects.get().state == State.DEAD
    assert not Report.objects.exists()
