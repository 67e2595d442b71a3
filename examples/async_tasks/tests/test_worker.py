"""Real workers, as the Procfile starts them, on the broker at REDIS_URL and the database of the tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jobs.broker import Publisher
from jobs.models import Job, Run, State
from jobs.outbox import carry_out
from jobs.submit import submit
from jobs.topology import BULK, MESSAGES, QUICK
from jobs.transport import app

ROOT = Path(__file__).parents[1]
REPORT = {"airline": "HA", "month": 1}

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(condition, deadline_seconds=60):
    deadline = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not true after {deadline_seconds} s"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def started():
    """The workers of this file; the last of them is used for as long as it runs."""
    workers = []
    yield workers
    for worker in workers:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


@pytest.fixture
def worker(database_url, started):
    if not started or started[-1].poll() is not None:
        started.append(new_worker(database_url))
    return started[-1]


def new_worker(database_url):
    name = f"test-{time.monotonic_ns()}@%h"
    command = (
        f"-m celery --quiet --app jobs.transport worker --queues {BULK},{QUICK} --hostname {name}"
    )
    return subprocess.Popen(
        [sys.executable, *command.split(), "--concurrency", "1", "--without-gossip"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "REMAP_SIGTERM": "SIGQUIT"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def send(**drill):
    """Ask for a report, and have it sent."""
    job = submit("report", {**REPORT, "drill": drill}, queue=BULK)
    carry_out(BULK, 1, Publisher(app))
    return job


def state(job):
    return Job.objects.get(id=job).state


def test_message_that_is_no_task_harms_nobody(worker):
    with app.connection_for_write() as broker:
        producer = broker.Producer(exchange=MESSAGES)
        for headers in ({}, {"task": "unknown", "id": "1"}, {"task": "jobs.run", "id": "1"}):
            producer.publish(
                b"\xff\xfe",
                routing_key=BULK,
                headers=headers,
                content_type="application/json",
                content_encoding="utf-8",
            )
    good = send()

    wait_until(lambda: state(good) == State.DONE)
    assert worker.poll() is None


def test_worker_that_is_asked_to_stop_finishes_what_is_short_and_ends_in_good_order(worker):
    job = send(seconds=1)
    wait_until(lambda: Run.objects.filter(job_id=job).exists())

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(60) == 0
    assert state(job) == State.DONE
