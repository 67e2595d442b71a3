"""The relay: what leaves the outbox, and what stays."""

import socket
import time

import psycopg
import pytest
from celery import Celery
from django.db import connection, transaction
from django.db.models.functions import Now
from jobs import keeper
from jobs.broker import ANSWER_SECONDS, Publisher
from jobs.models import Job, Outbox
from jobs.outbox import IN_ORDER, Relay, Unconfirmed, carry_out
from jobs.submit import submit
from jobs.topology import BULK, QUICK
from jobs.watch import look
from kombu.exceptions import OperationalError

pytestmark = pytest.mark.django_db(transaction=True)


def confirm(_queue, messages):
    return messages


@pytest.fixture
def connect():
    opened = []

    def _connect():
        settings = connection.get_connection_params()
        opened.append(
            psycopg.connect(
                **{key: settings[key] for key in ("dbname", "user", "password", "host", "port")},
                autocommit=True,
            )
        )
        return opened[-1]

    yield _connect
    for each in opened:
        each.close()


@pytest.mark.report(
    "zarusz/SlimMessageBus#459",
    "while the broker is away, the outbox uses all its tries up within seconds",
    "a message has no tries to use up: it stays until the broker has confirmed it",
)
def test_message_that_the_broker_refuses_stays(job, connect):
    def refuse(_queue, _messages):
        raise ConnectionError("frozen")

    with pytest.raises(ConnectionError):
        carry_out(connect(), BULK, 1, refuse)

    assert Outbox.objects.count() == 1
    assert Job.objects.get(id=job).sent_at is None


@pytest.mark.report(
    "celery/celery#2689",
    "a broker in alarm takes nothing more, and the request that sends a task waits for ever",
    "no request waits for a broker; the relay gives up after seconds, and the message stays",
)
@pytest.mark.usefixtures("job")
def test_broker_that_says_nothing_is_an_error_within_seconds(connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"amqp://127.0.0.1:{silent.getsockname()[1]}"
        publisher = Publisher(Celery(broker=url, set_as_current=False))
        began = time.monotonic()
        with pytest.raises((OSError, OperationalError), match=r"[Tt]im"):
            carry_out(connect(), BULK, 1, publisher)

    assert time.monotonic() - began < 10 * ANSWER_SECONDS  # it would wait for ever
    assert Outbox.objects.count() == 1


def test_message_that_is_not_due_stays(connect):
    submit("test", {}, queue=BULK, delay_seconds=60)

    assert carry_out(connect(), BULK, 1, confirm) == 0
    assert Outbox.objects.count() == 1


@pytest.mark.usefixtures("job")
def test_message_that_another_relay_has_is_left_to_it(connect):
    other = connect()
    taken = []

    def publish(_queue, messages):
        taken.append(carry_out(other, BULK, 1, confirm))
        return messages

    assert carry_out(connect(), BULK, 1, publish) == 1
    assert taken == [0]


def test_sent_message_is_forgotten_and_its_time_kept(job, connect):
    sent = []

    def publish(_queue, messages):
        sent.extend(messages)
        return messages

    assert carry_out(connect(), BULK, 1, publish) == 1
    assert [message.jobs for message in sent] == [(job,)]
    assert not Outbox.objects.exists()
    assert Job.objects.get(id=job).sent_at is not None


def test_group_goes_in_one_message_and_a_lost_job_alone(connect):
    jobs = [submit("test", {}, queue=QUICK)[0] for _ in range(5)]
    Outbox.objects.filter(job_id=jobs[2]).update(alone=True)
    sent = []

    def publish(_queue, messages):
        sent.extend(message.jobs for message in messages)
        return messages

    assert carry_out(connect(), QUICK, 3, publish) == 5
    assert sent == [(jobs[2],), (jobs[0], jobs[1], jobs[3]), (jobs[4],)]
    assert not Outbox.objects.exists()


@pytest.mark.report(
    "rabbitmq/rabbitmq-server#1443",
    "a message that a full queue refuses has to be published again, to all queues that had taken it",
    "each message goes to one queue; what was confirmed is forgotten, what was refused stays",
)
def test_refused_message_holds_back_none_of_its_batch(connect):
    jobs = [submit("test", {}, queue=BULK)[0] for _ in range(4)]

    with pytest.raises(Unconfirmed, match="2 of 4 messages refused"):
        carry_out(connect(), BULK, 1, lambda _queue, messages: messages[:2])

    assert set(Outbox.objects.values_list("job_id", flat=True)) == set(jobs[2:])
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
def test_queue_that_fails_holds_up_no_other(connect):
    for queue in (QUICK, BULK):
        submit("test", {}, queue=queue)
    tried = []

    def publish(queue, messages):
        tried.append(queue)
        if queue == QUICK:
            raise ConnectionError("PRECONDITION_FAILED")
        return messages

    relay = Relay({QUICK: 50, BULK: 1}, publish)
    relay.turn(connect())
    relay.turn(connect())

    assert tried == [QUICK, BULK]  # the failed one pauses
    assert Outbox.objects.get().queue == QUICK


@pytest.mark.report(
    "timgit/pg-boss#228",
    "with 3 million rows, all that are due are read and sorted to take the next one",
    "one index gives the next batch; so do those of the keeper and of the health",
)
def test_no_loop_reads_a_long_outbox(job, policy, connect):
    """100,000 messages of 20,000 jobs; a million would take longer to load than all other tests.

    The statistics are those of another time, when there was one job, and it had been sent; of the outbox
    there are none.
    """
    with connection.cursor() as cursor:
        Job.objects.update(sent_at=Now())
        cursor.execute("ANALYZE jobs_job")
        Job.objects.filter(id=job).update(sent_at=None)
        cursor.execute(
            "INSERT INTO jobs_job (id, kind, queue, arguments)"
            " SELECT gen_random_uuid(), 'test', %s, '{}' FROM generate_series(1, 20000)",
            [BULK],
        )
        cursor.execute("SET session_replication_role = replica")  # no key is checked: seconds less
        cursor.execute(
            "INSERT INTO jobs_outbox (job_id, queue)"
            " SELECT id, queue FROM jobs_job, generate_series(1, 5)"
        )
        cursor.execute("RESET session_replication_role")
        for loop in (lambda: keeper.sweep(policy, 5, {BULK: 0}), lambda: look([BULK])):
            with transaction.atomic():
                before = dict(cursor.execute(READ).fetchall())  # not yet told to the statistics
                loop()
                after = dict(cursor.execute(READ).fetchall())
            assert after["jobs_job"] - before["jobs_job"] <= 500
    relay, read = connect(), {}
    relay.execute(IN_ORDER)

    def publish(_queue, messages):
        read.update(relay.execute(READ).fetchall())
        return messages

    assert carry_out(relay, BULK, 1, publish) == 500
    assert read["jobs_outbox"] <= 1_000  # each is read once, and once more for its lock


READ = """
    SELECT relname, seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
    WHERE relname IN ('jobs_job', 'jobs_outbox')
"""
