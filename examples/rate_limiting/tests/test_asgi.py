"""Under ASGI the limiter waits on the event loop, and a silent Redis does not block it."""

import asyncio
import signal
import time

import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from edge import configured
from edge.middleware import TokenBucketMiddleware
from limiter.connection import RedisStore

pytest_plugins = ["tests.edge"]


@pytest.fixture
def paused(start_server, monkeypatch):
    """A Redis that accepts connections and never answers; the store waits 50 ms, as in production."""
    server = start_server()
    store = RedisStore(server.url)
    monkeypatch.setattr(configured, "store", lambda: store)
    server.process.send_signal(signal.SIGSTOP)
    yield server
    server.process.send_signal(signal.SIGCONT)


@pytest.fixture
def longest_block():
    """Measure how long the event loop was away, at most."""

    async def watch(done, longest):
        while not done.is_set():
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest[0] = max(longest[0], time.monotonic() - before - 0.005)

    return watch


async def volley(application, address, count):
    transport = httpx.ASGITransport(application, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        path = "/api/token_bucket/airports/JFK/"
        return await asyncio.gather(*(client.get(path) for _ in range(count)))


@pytest.mark.usefixtures("site", "paused")
async def test_site_answers_200_at_once_while_redis_is_paused(address):
    started = time.monotonic()

    answers = await volley(get_asgi_application(), address, 200)

    assert {answer.status_code for answer in answers} <= {200, 429}
    assert {answer.headers["RateLimit-Mode"] for answer in answers} == {"local"}
    # 100 in 60 s, shared by two processes: 50 each, and what refills in the seconds this takes.
    admitted = sum(answer.status_code == 200 for answer in answers)
    assert 50 <= admitted <= 50 + (time.monotonic() - started) * 100 / 120 + 1


@pytest.mark.usefixtures("site", "paused")
async def test_paused_redis_does_not_block_the_loop(longest_block, address, rf):
    """The middleware alone: Django's own costs 200 requests more than the wait would."""

    async def view(_request):
        return HttpResponse()

    middleware = TokenBucketMiddleware(view)
    done, longest = asyncio.Event(), [0.0]
    watching = asyncio.create_task(longest_block(done, longest))
    requests = [rf.get("/api/token_bucket/", REMOTE_ADDR=address) for _ in range(200)]

    answers = await asyncio.gather(*(middleware(request) for request in requests))
    done.set()
    await watching

    assert {answer["RateLimit-Mode"] for answer in answers} == {"local"}
    # One blocking wait per request would be 200 x 50 ms.
    assert longest[0] < 1


async def test_site_under_asgi_shares_the_counter_with_wsgi(site, address):
    await asyncio.to_thread(site.airport, "token_bucket", address=address)

    (answer,) = await volley(get_asgi_application(), address, 1)

    assert answer.headers["RateLimit"].startswith('"airports";r=98;')
