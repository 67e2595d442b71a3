"""The service as its users, its operators and its abusers meet it."""

import json
import re

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from edge import api_keys, configured
from flights import fixed_window
from flights.variants import VARIANTS

pytest_plugins = ["tests.edge"]

ROUTES = [(variant.name, rules) for variant in VARIANTS for rules in variant.paths]


@pytest.fixture(autouse=True)
def fresh_peers():
    """Forget the stock limiters' counters: they know a client by its address alone."""
    cache.clear()
    fixed_window.redis.cache_clear()


def staff(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


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


@pytest.mark.parametrize(
    "path", ["/api/leaky/airports/JFK/", "/api/drf_throttle/tiered/airports/JFK/"]
)
def test_unknown_variant_is_a_problem_that_lists_the_known(site, path):
    answer = site.get(path)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["variants"] == [variant.name for variant in VARIANTS]


def test_index_lists_paths_and_policies_that_exist(site, address):
    variants = site.get("/api/").json()["variants"]

    assert [variant["name"] for variant in variants] == [variant.name for variant in VARIANTS]
    for rules in (rules for variant in variants for rules in variant["rules"]):
        path = rules["path"].replace("{code}", "SIN")
        assert site.get(path, REMOTE_ADDR=address).status_code == 200, path
        assert rules["policies"]


def test_every_limited_path_is_a_path_of_the_middleware_variant():
    (variant,) = (variant for variant in VARIANTS if variant.name == "token_bucket")
    paths = {path.removesuffix("airports/{code}/"): rules for rules, path in variant.paths.items()}

    assert paths == django_settings.LIMITED_PATHS


def test_health_does_not_need_redis(site, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    configured.redis.cache_clear()

    assert site.get("/healthz").json() == {"status": "ok"}


def test_schema_is_generated_without_a_warning():
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        schema = SchemaGenerator().get_schema(request=None, public=True)

    assert not GENERATOR_STATS
    assert len(schema["paths"]) == len(ROUTES) + 2


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_documentation_asks_no_other_host(site, path):
    page = site.get(path).content.decode()

    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    for asset in re.findall(r"""(?:src|href)=["'](/static/[^"']+)""", page):
        answer = site.get(asset)
        answer.close()
        assert answer.status_code == 200, asset


@pytest.mark.parametrize("token", ["", "wrong"])
def test_abuse_is_not_shown_to_others(site, settings, token):
    settings.STAFF_TOKEN = "right"

    assert site.get("/api/abuse/", **staff(token)).status_code == 403


@pytest.mark.parametrize("token", ["", "None"])
def test_without_a_staff_token_nobody_is_staff(site, settings, token):
    settings.STAFF_TOKEN = ""

    assert site.get("/api/abuse/", **staff(token)).status_code == 403


def test_abuse_is_shown_to_staff(site, settings):
    settings.STAFF_TOKEN = "right"

    answer = site.get("/api/abuse/", **staff("right"))

    assert answer.status_code == 200
    assert isinstance(answer.json()["events"], list)


def test_issued_key_is_a_client_of_its_own(site, address):
    key = api_keys.issue(f"partner-{address}")

    site.airport("token_bucket", address=address, HTTP_X_API_KEY=key)
    answer = site.airport("token_bucket", address=address)

    assert answer["RateLimit"] == '"airports";r=99;t=1'
    assert [caller.kind for caller in site.watches["ewma"].seen] == ["key", "address"]


def test_forged_keys_give_no_new_identity(site, address):
    for number in range(5):
        answer = site.airport("token_bucket", address=address, HTTP_X_API_KEY=f"me:{number}")

    assert answer["RateLimit"].startswith('"airports";r=95;')


def test_forwarded_address_is_believed_from_a_trusted_proxy_only(site, settings, address):
    settings.TRUSTED_PROXIES = "192.0.2.0/24"

    for peer in ("192.0.2.1", "203.0.113.9"):
        site.airport("token_bucket", address=peer, HTTP_X_FORWARDED_FOR=f"9.9.9.9, {address}")

    networks = [caller.network for caller in site.watches["ewma"].seen]
    assert networks == [f"{address}/64", "203.0.113.0/24"]


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
