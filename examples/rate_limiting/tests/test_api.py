"""The service as its users, its operators and its abusers meet it."""

import json
import time
from types import SimpleNamespace

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django_ratelimit import core
from flights import api_keys, configured, fixed_window
from flights.variants import VARIANTS

pytest_plugins = ["tests.site"]

ROUTES = [(variant.name, rules) for variant in VARIANTS for rules in variant.paths]


@pytest.fixture(autouse=True)
def fresh_peers():
    """Forget the stock limiters' counters: they know a client by its address alone."""
    cache.clear()
    fixed_window.redis.cache_clear()


@pytest.fixture(autouse=True)
def one_minute(monkeypatch):
    """django-ratelimit counts in minutes of the clock: none ends while a test counts."""
    now = time.time()
    monkeypatch.setattr(core, "time", SimpleNamespace(time=lambda: now))


def test_every_variant_answers_with_the_same_bytes(site, address):
    answers = {
        site.airport(name, "" if rules == "airports" else rules, address=address).content
        for name, rules in ROUTES
    }

    assert len(answers) == 1
    assert json.loads(answers.pop())["name"] == "John F Kennedy International Airport"


def test_unknown_airport_is_a_problem_that_lists_the_known(site, address):
    answer = site.airport("token_bucket", code="XXX", address=address)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert "JFK" in answer.json()["codes"]


def test_index_lists_paths_and_policies_that_exist(site, address):
    variants = site.get("/api/").json()["variants"]

    assert [variant["name"] for variant in variants] == [variant.name for variant in VARIANTS]
    for limit in (limit for variant in variants for limit in variant["limits"]):
        path = limit["path"].replace("{code}", "SIN")
        assert site.get(path, REMOTE_ADDR=address).status_code == 200, path
        assert limit["limit"]


def test_every_limited_path_is_a_path_of_the_middleware_variant():
    (variant,) = (variant for variant in VARIANTS if variant.name == "token_bucket")
    paths = {path.removesuffix("airports/{code}/"): rules for rules, path in variant.paths.items()}

    assert paths == django_settings.LIMITED_PATHS


def test_health_does_not_need_redis(site, monkeypatch):
    monkeypatch.setattr(configured, "redis", None)

    assert site.get("/healthz").json() == {"status": "ok"}


def test_issued_key_is_a_client_of_its_own(site, address):
    key = api_keys.issue(f"partner-{address}")

    site.airport("token_bucket", address=address, HTTP_X_API_KEY=key)
    answer = site.airport("token_bucket", address=address)

    assert answer["RateLimit"] == '"airports";r=99;t=1'


def test_forged_keys_give_no_new_identity(site, address):
    for number in range(5):
        answer = site.airport("token_bucket", address=address, HTTP_X_API_KEY=f"me:{number}")

    assert answer["RateLimit"].startswith('"airports";r=95;')


@pytest.mark.parametrize("variant", ["drf_throttle", "django_ratelimit", "fixed_window"])
def test_stock_limiters_refuse_the_101st_request(site, address, variant):
    statuses = [site.airport(variant, address=address).status_code for _ in range(101)]

    assert statuses == [200] * 100 + [429]


@pytest.mark.parametrize("variant", ["drf_throttle", "fixed_window"])
def test_stock_limiters_that_tell_when_to_come_back(site, address, variant):
    for _ in range(101):
        answer = site.airport(variant, address=address)

    assert 1 <= int(answer["Retry-After"]) <= 60
    assert "RateLimit" not in answer


@pytest.mark.parametrize("variant", ["drf_throttle", "django_ratelimit", "fixed_window"])
def test_stock_limiters_fail_with_redis(site, address, variant, settings):
    """The naive variants have to stay naive: nothing in this project catches their errors."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": settings.REDIS_URL}}

    assert site.airport(variant, address=address).status_code == 500
