"""The relay: what leaves the outbox, and what stays."""

import psycopg
import pytest
from django.db import connection
from jobs.models import Job, Outbox
from jobs.outbox import carry_out
from jobs.submit import submit
from jobs.topology import BULK

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_message_that_the_broker_refuses_stays(job, connect):
    def refuse(_messages):
        raise ConnectionError("frozen")

    with pytest.raises(ConnectionError):
        carry_out(connect(), refuse)

    assert Outbox.objects.count() == 1
    assert Job.objects.get(id=job).sent_at is None


def test_message_that_is_not_due_stays(connect):
    submit("test", {}, queue=BULK, delay_seconds=60)

    assert carry_out(connect(), lambda _: None) == 0
    assert Outbox.objects.count() == 1


@pytest.mark.usefixtures("job")
def test_message_that_another_relay_has_is_left_to_it(connect):
    other = connect()
    taken = []

    def publish(_messages):
        taken.append(carry_out(other, lambda _: None))

    assert carry_out(connect(), publish) == 1
    assert taken == [0]


def test_sent_message_is_forgotten_and_its_time_kept(job, connect):
    sent = []

    assert carry_out(connect(), sent.extend) == 1
    assert [message.job for message in sent] == [job]
    assert not Outbox.objects.exists()
    assert Job.objects.get(id=job).sent_at is not None
