"""The relay: what leaves the outbox, and what stays."""

import logging
import socket
import time
from functools import partial

import pytest
from celery import Celery
from django.db import connection, transaction
from jobs import broker
from jobs.broker import Publisher
from jobs.duties import Duty
from jobs.models import Job
from jobs.outbox import MESSAGES, carry_out
from jobs.runs import perform
from jobs.submit import submit
from jobs.sweep import sweep
from jobs.topology import BULK, QUICK
from jobs.watch import look
from kombu.exceptions import OperationalError
from rows import elsewhere, outbox

pytestmark = pytest.mark.django_db(transaction=True)


class Broker:
    """Confirms so many messages, refuses the next, and knows what it has confirmed."""

    def __init__(self, most=1_000_000):
        self.most = most
        self.confirmed = []

    def __call__(self, _queue, jobs):
        if len(self.confirmed) == self.most:
            raise ConnectionError("refused")
        self.confirmed.append(jobs)


@pytest.mark.report(
    "zarusz/SlimMessageBus#459",
    "while the broker is away, the outbox uses all its tries up within seconds",
    "a message has no tries to use up: it stays until the broker has confirmed it",
)
def test_message_that_the_broker_refuses_stays(job):
    with pytest.raises(ConnectionError):
        carry_out(BULK, 1, Broker(0))

    assert outbox().count() == 1
    assert Job.objects.get(id=job).sent_at is None


@pytest.mark.report(
    "celery/celery#2689",
    "a broker in alarm takes nothing more, and the request that sends a task waits for ever",
    "no request waits for a broker; the relay gives up after seconds, and the message stays",
)
@pytest.mark.usefixtures("job")
def test_broker_that_says_nothing_is_an_error_within_seconds(monkeypatch):
    monkeypatch.setattr(broker, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"amqp://127.0.0.1:{silent.getsockname()[1]}"
        publisher = Publisher(Celery(broker=url, set_as_current=False))
        began = time.monotonic()
        with pytest.raises((OSError, OperationalError), match=r"[Tt]im"):
            carry_out(BULK, 1, publisher)

    assert time.monotonic() - began < 30  # it would wait for ever
    assert outbox().count() == 1


def test_message_that_is_not_due_stays():
    taking = Broker()
    submit("test", {}, queue=BULK, delay_seconds=60)

    assert not carry_out(BULK, 1, taking)
    assert taking.confirmed == []
    assert outbox().count() == 1


@pytest.mark.usefixtures("job")
def test_message_that_another_relay_has_is_left_to_it():
    other, seen = Broker(), []

    def publish(_queue, jobs):
        elsewhere(lambda: carry_out(BULK, 1, other))
        seen.append(jobs)

    carry_out(BULK, 1, publish)

    assert len(seen) == 1
    assert other.confirmed == []


def test_sent_message_is_forgotten_and_its_time_kept(job):
    taking = Broker()

    carry_out(BULK, 1, taking)

    assert taking.confirmed == [[job]]
    assert not outbox().exists()
    assert Job.objects.get(id=job).sent_at is not None


def test_group_goes_in_one_message_and_a_lost_job_alone():
    jobs, taking = [submit("test", {}, queue=QUICK) for _ in range(5)], Broker()
    Job.objects.filter(id=jobs[2]).update(alone=True)

    carry_out(QUICK, 3, taking)

    assert taking.confirmed == [[jobs[2]], [jobs[0], jobs[1], jobs[3]], [jobs[4]]]
    assert not outbox().exists()


def test_batch_that_is_full_is_followed_by_another():
    for _ in range(MESSAGES + 1):
        submit("test", {}, queue=BULK)

    assert [carry_out(BULK, 1, Broker()) for _ in range(2)] == [True, False]


@pytest.mark.report(
    "rabbitmq/rabbitmq-server#1443",
    "a message that a full queue refuses has to be published again, to all queues that had taken it",
    "each message goes to one queue; what was confirmed is forgotten, what was refused stays",
)
def test_refused_message_has_none_published_again_that_was_confirmed():
    jobs = [submit("test", {}, queue=BULK) for _ in range(4)]

    with pytest.raises(ConnectionError, match="refused"):
        carry_out(BULK, 1, Broker(2))

    assert set(outbox().values_list("id", flat=True)) == set(jobs[2:])
    assert Job.objects.exclude(sent_at=None).count() == 2


@pytest.mark.report(
    "zarusz/SlimMessageBus#284",
    "a message of a type that nobody knows any more is taken from the outbox for ever, with all of its batch",
    "a queue that nobody works on is refused when the job is asked for",
)
def test_job_for_a_queue_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"no queue 'jobs\.unknown'"):
        submit("test", {}, queue="jobs.unknown")

    assert not Job.objects.exists()


@pytest.mark.report(
    "celery/kombu#824",
    "a queue that exists with other arguments: PRECONDITION_FAILED, and the channel is closed",
    "that queue waits, with a sentence in the log; the others go on",
)
def test_queue_that_fails_holds_up_no_other(caplog):
    logging.getLogger("jobs").addHandler(caplog.handler)
    for queue in (QUICK, BULK):
        submit("test", {}, queue=queue)
    refusing, taking = Broker(0), Broker()
    duties = [
        Duty(queue, 0, partial(carry_out, queue, 1, one))
        for queue, one in ((QUICK, refusing), (BULK, taking))
    ]

    for duty in duties:
        duty.turn()

    assert len(taking.confirmed) == 1
    assert outbox().get().queue == QUICK
    assert f"{QUICK} waits: ConnectionError: refused" in caplog.text
    refusing.most = 1
    duties[0].turn()
    assert refusing.confirmed == []  # what has failed pauses
    duties[0].due_at = 0
    duties[0].turn()
    assert len(refusing.confirmed) == 1


@pytest.mark.report(
    "timgit/pg-boss#228",
    "with 3 million rows, all that are due are read and sorted to take the next one",
    "one index gives the next batch; so do those of the sweep and of the health",
)
def test_no_loop_and_no_run_reads_a_long_outbox(policy):
    """100,000 jobs; a million would take longer to load than all other tests.

    The statistics are those of another time, when all jobs had been deleted: by them PostgreSQL would sort
    all that is due. Then they are those of now.
    """
    loops = (
        lambda: sweep(BULK, 0, policy),
        lambda: look([BULK]),
        lambda: carry_out(BULK, 1, Broker()),
        lambda: perform(group, True, "worker", {"test": lambda _: lambda: None}, policy),
    )
    with connection.cursor() as cursor:
        cursor.execute(MORE, [BULK, 1_000])
        cursor.execute("DELETE FROM jobs_job")
        cursor.execute("ANALYZE jobs_job")
        cursor.execute(MORE, [BULK, 100_000])
        for _ in range(2):
            group = [submit("test", {}, queue=QUICK) for _ in range(3)]
            for loop in loops:
                with transaction.atomic():
                    (before,) = cursor.execute(READ).fetchone()  # not yet told to the statistics
                    loop()
                    (after,) = cursor.execute(READ).fetchone()
                assert after - before <= 500
            cursor.execute("ANALYZE jobs_job")


MORE = """
    INSERT INTO jobs_job (id, kind, queue, arguments)
    SELECT gen_random_uuid(), 'test', %s, '{}' FROM generate_series(1, %s)
"""
READ = """
    SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs_job'
"""
