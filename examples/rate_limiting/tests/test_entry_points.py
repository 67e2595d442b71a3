"""Middleware, throttle class and decorator: one counter, one charge, one answer."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from flights import configured
from flights.airports import Airport
from flights.callers import client_of
from flights.limited import limited
from flights.limits import RULES
from flights.throttle import TokenBucketThrottle
from limiter.policy import Policy, Rate, RuleSet
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


def stacked(address, *rules):
    """Limit a view by who asks for it, and then by all of them."""
    ways = [lambda request: f"{address} {request.META['REMOTE_ADDR']}", lambda _: address]
    view = limited(configured.limiter(rules[1]), ways[1])(lambda _: HttpResponse())
    return limited(configured.limiter(rules[0]), ways[0])(view)


def asked_by(number, view):
    return view(RequestFactory().get("/", REMOTE_ADDR=f"198.51.100.{number}"))


@pytest.mark.report(
    "long2ice/fastapi-limiter#38",
    "of two limits before one view only one takes effect",
    "one rule set counts once for each client that it is asked about",
)
@pytest.mark.usefixtures("site")
def test_one_rule_set_twice_before_a_view_limits_both_clients(address):
    view = stacked(address, "steady", "steady")

    assert [asked_by(number, view).status_code for number in range(4)] == [200, 200, 200, 429]


@pytest.mark.report(
    "valpackett/ring-ratelimit#6",
    "the outer one of two limits writes its remainder over the inner one's refusal",
    "the fields list the policies of both",
)
@pytest.mark.usefixtures("site")
def test_a_refusal_further_in_is_still_told(address):
    view = stacked(address, "bulk", "steady")

    answers = [asked_by(1, view) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit"] == '"bulk";r=4999;t=1, "steady";r=2;t=1'
    assert answers[3]["RateLimit"] == '"bulk";r=4996;t=3, "steady";r=0;t=1'
    assert answers[3]["RateLimit-Policy"] == '"bulk";q=5000;w=3600, "steady";q=3;w=2'


@pytest.mark.report(
    "encode/django-rest-framework#6667",
    "of throttles that refuse a request only the first one's wait is told",
    "the longest wait is",
)
@pytest.mark.parametrize("order", [("minutely", "daily"), ("daily", "minutely")])
def test_the_longest_wait_of_several_throttles_is_told(site, address, monkeypatch, order):
    for name, seconds in (("minutely", 60), ("daily", 86_400)):
        monkeypatch.setitem(RULES, name, RuleSet(name, (Policy(name, 1, Rate(1, seconds)),)))
    throttles = [type(name, (TokenBucketThrottle,), {"rules": name}) for name in order]
    monkeypatch.setattr(Airport, "throttle_classes", throttles)

    answers = [site.airport("unprotected", address=address) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1]["Retry-After"] == "86400"
    assert answers[1]["RateLimit"].count("r=0") == 2
