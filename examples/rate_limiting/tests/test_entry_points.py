"""Middleware, throttle class and decorator: one counter, one charge, one answer."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from flights import configured
from flights.callers import client_of
from flights.limited import limited
from flights.throttle import TokenBucketThrottle
from rest_framework.response import Response
from rest_framework.views import APIView

pytest_plugins = ["tests.site"]

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


class Steady(TokenBucketThrottle):
    rules = "steady"


class ByClass(APIView):
    throttle_classes = (Steady,)

    def get(self, _request):
        return Response({})


@pytest.mark.usefixtures("site")
def test_throttle_tells_drf_how_long_to_wait(address):
    view = ByClass.as_view()

    answers = [view(RequestFactory().get("/", REMOTE_ADDR=address)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["Retry-After"] == "1"


def test_decorator_refuses_an_async_view():
    async def view(_request):
        return HttpResponse()

    with pytest.raises(TypeError, match="sync_to_async"):
        limited(configured.limiter("steady"), client_of)(view)
