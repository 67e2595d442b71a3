"""What a webhook may be, and what is done with its answers."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from jobs.runs import Transient
from reports import webhooks
from reports.webhooks import RefusedUrl, checked, deliver, is_outside

INWARD = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0/",
    "http://10.1.2.3/",
    "http://172.16.0.1:8080/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fd00::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[2002:7f00:1::]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://metadata.google.internal/",
]
NO_WEBHOOK = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "//example.com/",
    "http://",
    "http://user@example.com/",
    "http://example.com:99999/",
    "http://example.com:0/",
    "http://example.com/\r\nHost: inside",
    "http://[/",
    "https://example.com/" + "x" * 500,
]


@pytest.mark.parametrize("url", INWARD + NO_WEBHOOK)
def test_url_that_points_inward_or_nowhere_is_refused(url):
    with pytest.raises(RefusedUrl):
        checked(url)


@pytest.mark.parametrize(
    "url", ["https://example.com/hook?x=1", "http://1.1.1.1:8080/", "https://[2606:4700::1]/"]
)
def test_url_that_points_outward_is_one(url):
    checked(url)


def test_name_that_leads_inward_is_refused_when_it_is_looked_up(monkeypatch):
    def lookup(*_, **__):
        return [(0, 0, 0, "", ("1.1.1.1", 0)), (0, 0, 0, "", ("10.0.0.1", 0))]

    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lookup)

    with pytest.raises(RefusedUrl):
        deliver("https://example.com/", "key", {})


class Hook(BaseHTTPRequestHandler):
    """Answers with the status in its path, a redirect to itself."""

    def do_POST(self):
        self.server.seen.append((self.path, self.headers["Idempotency-Key"]))
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path[1:4]))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()
        thread.join()


def anywhere(_address):
    return True


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410])
def test_answer_that_will_not_change_is_permanent_and_no_redirect_is_followed(hook, status):
    with pytest.raises(ValueError, match=str(status)):
        deliver(f"{hook.url}/{status}", "key", {}, anywhere)
    assert [path for path, _ in hook.seen] == [f"/{status}"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_answer_that_may_change_is_transient(hook, status):
    with pytest.raises(Transient):
        deliver(f"{hook.url}/{status}", "key", {}, anywhere)


def test_nobody_there_is_transient(hook):
    hook.server_close()
    with pytest.raises(Transient):
        deliver("http://127.0.0.1:1/", "key", {}, anywhere)


def test_webhook_is_told_with_the_key_of_the_job(hook):
    deliver(f"{hook.url}/200?x=1", "key", {"job": "1"}, anywhere)

    assert hook.seen == [("/200?x=1", "key")]


def test_addresses_of_the_internet_are_outside():
    assert is_outside("1.1.1.1")
    assert not is_outside("fe80::1%eth0")
