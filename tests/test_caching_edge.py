"""The CDN of examples/caching, `varnish/edge.vcl`, before an origin that says whatever a test wants."""

import http.client
import json
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from nexus.stacks import offered
from nexus.stacks.outside import taken
from nexus.stacks.ports import Ports
from nexus.stacks.processes import wait_until
from nexus.stacks.services import Site, varnish_service

CACHING = Path(__file__).parents[1] / "examples" / "caching"


class Origin(BaseHTTPRequestHandler):
    """Answers with the status and headers that the request's own header X-Answer holds."""

    protocol_version = "HTTP/1.1"
    numbers = count(1)

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers = json.loads(self.headers.get("X-Answer", "[200, {}]"))
        if "If-None-Match" in self.headers:
            status = 304
        body = b"" if status == 304 else str(next(self.numbers)).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "M-SEARCH"):
    setattr(Origin, f"do_{method}", Origin.answer)


@pytest.fixture(scope="module")
def cdn(tmp_path_factory):
    """The address of a `varnishd` with the rules of examples/caching."""
    if problem := offered.missing().get("varnish"):
        pytest.skip(f"varnish: {problem}")
    folder, ports = tmp_path_factory.mktemp("cdn"), Ports()
    with ExitStack() as held:
        origin = held.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Origin))
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        held.callback(origin.shutdown)
        held.callback(ports.give_back)
        site = Site(
            ports.take(),
            folder / "data",
            folder / "log",
            CACHING,
            web_port=origin.server_port,
            another=ports.take,
            outside=lambda owner: held.enter_context(taken(owner)),
        )
        service = varnish_service(site)
        service.child.start()
        held.callback(service.child.kill)
        assert wait_until(service.ready, 60), service.child.tail()
        yield urlsplit(service.url).netloc


@pytest.fixture
def ask(cdn):
    """Ask for a page that is this test's own; the answer is a number that grows with each of the origin's."""
    path = f"/{uuid4()}"

    def ask(method="GET", status=200, query="", asking=None, **headers):
        connection = http.client.HTTPConnection(cdn, timeout=60)
        says = {name.replace("_", "-"): value for name, value in headers.items()}
        wanted = {"X-Answer": json.dumps([status, says]), **(asking or {})}
        connection.request(method, path + query, headers=wanted)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    return ask


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "M-SEARCH"])
def test_change_voids_its_page(ask, method):
    _, before = ask(Cache_Control="max-age=60")
    assert ask()[1] == before

    ask(method, query="?by=form")

    assert ask(Cache_Control="max-age=60")[1] != before


@pytest.mark.parametrize(("method", "status"), [("POST", 403), ("PUT", 500), ("OPTIONS", 200)])
def test_what_changes_nothing_leaves_the_page(ask, method, status):
    _, before = ask(Cache_Control="max-age=60")

    ask(method, status)

    assert ask()[1] == before


@pytest.mark.parametrize(
    "for_cdns", ["private, max-age=60", "no-cache", "no-store, max-age=60", "max-age=0", "nonsense"]
)
def test_page_that_is_not_for_cdns_is_not_kept(ask, for_cdns):
    _, before = ask(Cache_Control="max-age=60", CDN_Cache_Control=for_cdns)

    assert ask()[1] != before


@pytest.mark.parametrize("for_all", ["no-store", "private", "max-age=0"])
def test_page_that_is_only_for_cdns_is_kept(ask, for_all):
    response, before = ask(Cache_Control=for_all, CDN_Cache_Control="max-age=60")

    assert ask()[1] == before
    assert response.headers["Cache-Control"] == for_all
    assert not {"Surrogate-Control", "Page"} & set(response.headers)


def test_age_counts_for_cdns_too(ask):
    _, before = ask(Age="7200", CDN_Cache_Control="max-age=3600")

    assert ask()[1] != before


def test_cookie_of_one_reader_is_not_kept_for_cdns(ask):
    _, before = ask(Set_Cookie="reader=somebody", CDN_Cache_Control="max-age=60")

    assert ask()[1] != before


def test_lifetime_may_have_leading_zeros(ask):
    _, before = ask(Cache_Control="max-age=0060")

    assert ask()[1] == before


def test_page_that_has_ended_is_asked_for_with_a_condition(ask):
    _, before = ask(Cache_Control="max-age=1, must-revalidate", ETag='"1"')
    time.sleep(1.1)  # Varnish has no clock that a test could turn

    assert ask(Cache_Control="max-age=60", ETag='"1"')[1] == before


@pytest.mark.parametrize("range_", ["bytes=9-2", "bytes=0-0", "nonsense"])
@pytest.mark.parametrize(
    ("method", "staff"), [("OPTIONS", {}), ("POST", {}), ("GET", {"Authorization": "Bearer x"})]
)
def test_range_of_what_is_passed_on_counts_for_nothing(ask, method, staff, range_):
    response, _ = ask(method, asking={"Range": range_} | staff)

    assert response.status == 200
