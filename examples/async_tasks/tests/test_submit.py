"""Asking for a job: what is written, and for whom."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from jobs.models import Job
from jobs.submit import KeyReused, submit
from jobs.topology import BULK
from rows import outbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_key_with_another_request_is_refused():
    key = uuid.uuid4().hex
    submit("report", {"month": 1}, queue=BULK, key=key)

    with pytest.raises(KeyReused):
        submit("report", {"month": 2}, queue=BULK, key=key)


def test_same_request_is_the_same_though_json_writes_it_in_another_way():
    key, arguments = uuid.uuid4().hex, {"months": (1, 2), "by": {1: "day"}}

    first = submit("report", arguments, queue=BULK, key=key)

    assert submit("report", arguments, queue=BULK, key=key) == first


def test_rolled_back_request_leaves_no_job():
    with transaction.atomic():
        submit("report", {}, queue=BULK)
        transaction.set_rollback(True)

    assert not Job.objects.exists()


def test_one_key_is_one_job_whoever_comes_first():
    key = uuid.uuid4().hex

    def ask(_number):
        try:
            return submit("report", {"month": 1}, queue=BULK, key=key)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))

    assert len(set(answers)) == 1
    assert outbox().count() == 1


def test_jobs_without_a_key_are_different_ones():
    assert submit("report", {}, queue=BULK) != submit("report", {}, queue=BULK)
