"""`django.tasks` with the rows and the outbox behind it."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.tasks import task
from django.tasks.exceptions import InvalidTask
from django.utils import timezone
from jobs.configured import work
from jobs.models import Job, State
from jobs.run import Outcome
from jobs.runs import perform
from jobs.topology import BULK
from reports.models import Report
from reports.ontime import store
from reports.work import keep_report
from rows import outbox

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = {"airline": "HA", "month": 1}


def test_queue_that_nobody_works_on_is_refused():
    with pytest.raises(InvalidTask):
        keep_report.using(queue_name="default").enqueue(GOOD)


@pytest.mark.report(
    "RealOrangeOne/django-tasks-rq#11",
    "a task runs before its transaction is committed, or although it is rolled back",
    "the task is a row of that transaction, and is rolled back with it",
)
def test_rolled_back_task_leaves_no_job_and_no_message():
    with transaction.atomic():
        keep_report.enqueue(GOOD)
        transaction.set_rollback(True)

    assert not Job.objects.exists()
    assert not outbox().exists()


def test_task_that_is_due_later_waits_in_the_outbox():
    keep_report.using(run_after=timezone.now() + timedelta(hours=1)).enqueue(GOOD)

    assert outbox().get().due_at > timezone.now() + timedelta(minutes=59)


def test_task_with_a_context_is_run_once_whatever_arrives_twice(policy):
    job = uuid.UUID(keep_report.enqueue(GOOD).id)
    outcomes = [perform([job], False, "worker", work(), policy)[job] for _ in range(2)]

    assert outcomes == [Outcome.DONE, Outcome.NOTHING]
    assert Report.objects.get().job_id == job


@task(queue_name=BULK)
def half_of_it():
    store("day,flights,on_time\n", uuid.uuid4())
    raise ValueError("the other half")


def test_task_that_fails_leaves_nothing_of_what_it_wrote(policy):
    job = uuid.UUID(half_of_it.enqueue().id)

    assert perform([job], False, "worker", work(), policy)[job] == Outcome.DEAD
    assert Job.objects.get().state == State.DEAD
    assert not Report.objects.exists()
