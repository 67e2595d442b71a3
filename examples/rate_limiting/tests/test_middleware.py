"""The middleware: which paths it limits, and that it reports what others decided."""

import asyncio

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from edge.charge import charge
from edge.middleware import TokenBucketMiddleware, rules_for

pytest_plugins = ["tests.edge"]
pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture
def request_from(address):
    def make(path="/steady/"):
        return RequestFactory().get(path, REMOTE_ADDR=address)

    return make


@pytest.fixture(autouse=True)
def limited_paths(settings):
    settings.LIMITED_PATHS = {"/steady/": "steady", "/steady/not/": "bulk", "/strict/": "strict"}


def test_refused_request_does_not_reach_the_view(request_from):
    reached = []
    middleware = TokenBucketMiddleware(lambda _: reached.append(1) or HttpResponse())

    statuses = [middleware(request_from()).status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert len(reached) == 3


def test_longest_prefix_decides():
    assert rules_for("/steady/not/at/all") == "bulk"
    assert rules_for("/steady/but") == "steady"
    assert rules_for("/stead") is None


def test_path_without_a_limit_is_left_alone(request_from):
    middleware = TokenBucketMiddleware(lambda _: HttpResponse())

    answer = middleware(request_from("/healthz"))

    assert "RateLimit" not in answer
    assert "RateLimit-Policy" not in answer


def test_decision_made_further_in_is_reported(request_from):
    def view(request):
        charge(request, "bulk")
        return HttpResponse()

    answer = TokenBucketMiddleware(view)(request_from("/somewhere/"))

    assert answer["RateLimit-Policy"] == '"bulk";q=5000;w=3600'


def test_async_chain_is_limited_on_the_event_loop(request_from):
    async def view(_request):
        return HttpResponse()

    middleware = TokenBucketMiddleware(view)

    async def statuses():
        return [(await middleware(request_from())).status_code for _ in range(4)]

    assert asyncio.iscoroutinefunction(middleware) or middleware.is_async
    assert asyncio.run(statuses()) == [200, 200, 200, 429]
