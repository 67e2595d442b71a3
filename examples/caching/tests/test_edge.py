"""The CDN as the relay meets it: what is sent, what counts as heard, and what is due again."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain

import pytest
from flights.edge import MOST_TAGS, Edge, surrogate_key
from layers.values import name_of


@pytest.fixture(scope="module")
def server():
    """A server that notes what it is asked to purge, and answers with its `status`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PURGE(self):
            self.server.purged.append(self.headers["Surrogate-Key"].split())
            self.send_response(self.server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def cdn(server):
    server.purged, server.status = [], 200
    return server


@pytest.fixture
def edge(cdn):
    return Edge(f"http://127.0.0.1:{cdn.server_port}")


@pytest.mark.parametrize("status", [400, 405, 503])
def test_purge_that_is_refused_counts_as_not_heard(cdn, edge, status):
    cdn.status = status

    assert not edge.purge(["airport:TEST"])


def test_purge_that_nobody_answers_counts_as_not_heard():
    assert not Edge("http://127.0.0.1:1").purge(["airport:TEST"])


def test_tags_are_purged_once_each_in_requests_of_bounded_size(cdn, edge):
    tags = [f"airport:{number}" for number in range(2 * MOST_TAGS + 1)]

    assert edge.purge(tags + tags)

    assert [len(each) for each in cdn.purged] == [MOST_TAGS, MOST_TAGS, 1]
    assert list(chain.from_iterable(cdn.purged)) == tags


@pytest.mark.parametrize("tag", ["x" * 10_000, "with space", 'a"b', "ключ"])
def test_page_and_purge_call_a_tag_by_the_same_name(cdn, edge, tag):
    edge.purge([tag])

    assert cdn.purged == [[name_of(tag)]]
    assert surrogate_key([tag]).split() == ["*", name_of(tag)]
