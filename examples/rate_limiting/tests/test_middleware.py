"""The middleware: which paths it limits, whom it counts, and that it reports what others decided."""

from django.http import HttpResponse
from django.test import RequestFactory
from flights import configured
from flights.callers import client_of
from flights.limited import charge
from flights.middleware import TokenBucketMiddleware, rules_for

pytest_plugins = ["tests.site"]


def test_longest_prefix_decides(settings):
    settings.LIMITED_PATHS = {"/steady/": "steady", "/steady/not/": "bulk"}

    assert rules_for("/steady/not/at/all") == "bulk"
    assert rules_for("/steady/but") == "steady"
    assert rules_for("/stead") is None


def test_path_without_a_limit_is_left_alone(site):
    answer = site.get("/healthz")

    assert "RateLimit" not in answer
    assert "RateLimit-Policy" not in answer


def test_decision_made_further_in_is_reported(address):
    def view(request):
        charge(request, configured.limiter("bulk"), client_of)
        return HttpResponse()

    request = RequestFactory().get("/somewhere/", REMOTE_ADDR=address)
    answer = TokenBucketMiddleware(view)(request)

    assert answer["RateLimit-Policy"] == '"bulk";q=5000;w=3600'


def test_a_redirect_to_the_slash_costs_nothing(site, address):
    path = "/api/token_bucket/airports/JFK"

    answers = [site.get(path, REMOTE_ADDR=address) for _ in range(3)]
    last = site.get(f"{path}/", REMOTE_ADDR=address)

    assert {answer.status_code for answer in answers} == {301}
    assert last["RateLimit"].startswith('"airports";r=99;')


class User:
    is_authenticated = True
    pk = 7


def test_a_user_is_one_client_wherever_the_request_comes_from(address):
    view = TokenBucketMiddleware(lambda _: HttpResponse())
    refused = []
    for number in range(4):
        request = RequestFactory().get(
            "/api/token_bucket/steady/airports/JFK/", REMOTE_ADDR=f"198.51.100.{number}"
        )
        request.user = User()
        request.user.pk = address
        refused.append(view.process_view(request))

    assert [each and each.status_code for each in refused] == [None, None, None, 429]
