"""Middleware, throttle class and decorator: one counter, one charge, one answer."""

import asyncio

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from edge.decorator import limited
from edge.middleware import TokenBucketMiddleware
from edge.throttle import TokenBucketThrottle
from rest_framework.response import Response
from rest_framework.views import APIView

pytest_plugins = ["tests.edge"]

VARIANTS = ["token_bucket", "token_bucket_drf", "token_bucket_decorator"]


@pytest.mark.parametrize("last", VARIANTS)
def test_all_entry_points_empty_one_bucket(site, address, last):
    for variant in VARIANTS:
        assert site.airport(variant, "steady", address=address).status_code == 200

    assert site.airport(last, "steady", address=address).status_code == 429


def test_refusal_is_the_same_through_every_entry_point(site, address):
    for _ in range(3):
        site.airport("token_bucket", "steady", address=address)

    answers = [site.airport(variant, "steady", address=address) for variant in VARIANTS]

    fields = ["Retry-After", "RateLimit-Policy", "RateLimit", "Content-Type", "Cache-Control"]
    assert {answer.status_code for answer in answers} == {429}
    assert len({answer.content for answer in answers}) == 1
    for field in fields:
        assert len({answer[field] for answer in answers}) == 1, field


@pytest.mark.parametrize("variant", VARIANTS)
def test_success_carries_the_fields(site, address, variant):
    answer = site.airport(variant, address=address)

    assert answer["RateLimit-Policy"] == '"airports";q=100;w=60'
    assert answer["RateLimit"] == '"airports";r=99;t=1'


@pytest.mark.parametrize("inner", VARIANTS[1:])
def test_request_through_two_entry_points_is_charged_once(site, address, settings, inner):
    settings.LIMITED_PATHS = {f"/api/{inner}/steady/": "steady"}

    answers = [site.airport(inner, "steady", address=address) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert len(site.watches["ewma"].seen) == 4


def test_decorator_limits_an_async_view_by_the_same_bucket(site, address):
    @limited("steady")
    async def view(_request):
        return HttpResponse()

    async def statuses():
        request = RequestFactory().get
        return [(await view(request("/", REMOTE_ADDR=address))).status_code for _ in range(3)]

    site.airport("token_bucket", "steady", address=address)

    assert asyncio.run(statuses()) == [200, 200, 429]


class Steady(TokenBucketThrottle):
    rules = "steady"


class ByClass(APIView):
    throttle_classes = (Steady,)

    def get(self, _request):
        return Response({})


class ByInstance(ByClass):
    def get_throttles(self):
        return [TokenBucketThrottle("steady")]


class ByView(ByClass):
    throttle_classes = (TokenBucketThrottle,)
    throttle_rules = "steady"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("view", [ByClass, ByInstance, ByView])
def test_throttle_takes_its_rules_from_class_instance_or_view(address, view):
    called = view.as_view()

    def answer():
        return called(RequestFactory().get("/", REMOTE_ADDR=address))

    assert [answer().status_code for _ in range(4)] == [200, 200, 200, 429]
    assert answer()["Retry-After"] == "1"


@pytest.mark.usefixtures("site")
def test_throttle_tells_drf_how_long_to_wait(address):
    view = TokenBucketMiddleware(lambda _: HttpResponse())
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    throttle = Steady()
    for _ in range(3):
        view(RequestFactory().get("/api/token_bucket/steady/", REMOTE_ADDR=address))

    assert not throttle.allow_request(APIView().initialize_request(request), APIView())
    assert throttle.wait() == 1


def test_all_variants_but_the_naive_observe_with_the_baseline(site, address):
    for variant in [*VARIANTS, "fixed_window", "unprotected"]:
        site.airport(variant, address=address)

    assert len(site.watches["ewma"].seen) == 3
    assert len(site.watches["threshold"].seen) == 1
    assert len({*site.watches["ewma"].seen, *site.watches["threshold"].seen}) == 1
