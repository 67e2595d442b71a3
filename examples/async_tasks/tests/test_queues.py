"""What RabbitMQ's management API says, and what is made of an API that says something else."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from jobs.queues import Depth, NoAnswer, depths

QUEUE = {"name": "jobs.bulk", "messages_ready": 3, "messages_unacknowledged": 2, "consumers": 1}


@pytest.fixture
def api():
    """A server in the place of RabbitMQ: `status` and `body` are what it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked = (self.path, self.headers["Authorization"])
            self.send_response(server.status)
            self.end_headers()
            self.wfile.write(server.body.encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.body = 200, json.dumps([QUEUE, {"name": "celery@host.pidbox"}])
    server.url = f"http://nexus:p%40ss@127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body"), [(401, "{}"), (200, "no JSON"), (200, "{}"), (200, "[1]"), (200, "[{}]")]
)
def test_answer_that_is_none_is_said_to_be_none(api, status, body):
    api.status, api.body = status, body

    with pytest.raises(NoAnswer):
        list(depths(api.url))


def test_api_that_is_away_gives_no_answer():
    with pytest.raises(NoAnswer):
        list(depths("http://nexus:nexus@127.0.0.1:9"))


def test_queues_are_told_with_their_messages_and_workers(api):
    assert list(depths(api.url)) == [
        Depth("jobs.bulk", 3, 2, 1),
        Depth("celery@host.pidbox", 0, 0, 0),
    ]
    assert api.asked == ("/api/queues/%2F", f"Basic {base64.b64encode(b'nexus:p@ss').decode()}")


@pytest.mark.django_db
def test_metrics_tell_what_rabbitmq_says_and_that_it_says_nothing(api, client, settings):
    settings.RABBITMQ_MANAGEMENT_URL = api.url
    told = client.get("/metrics").content.decode()
    api.status = 500
    silent = client.get("/metrics").content.decode()

    assert 'rabbitmq_ready{queue="jobs.bulk"} 3.0' in told
    assert 'rabbitmq_consumers{queue="jobs.bulk"} 1.0' in told
    assert "pidbox" not in told
    assert "rabbitmq_up 0.0" in silent
    assert "jobs_dead_letters 0.0" in silent
