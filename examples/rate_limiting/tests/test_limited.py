"""What a limited client is told, read by an RFC 9651 parser."""

import json

import http_sf
import pytest
from flights.limited import annotate, policy_field, problem, refuse
from hypothesis import given
from hypothesis import strategies as st
from limiter.policy import OnFailure, Policy, Rate, RuleSet
from limiter.token_bucket import Decision, Outcome

HOURLY = Policy("hourly", 100, Rate(100, 3600))
BURST = Policy("burst", 10, Rate(3, 2))
RULES = RuleSet("two", (HOURLY, BURST))


def parsed(answer, field):
    return http_sf.parse(answer[field].encode(), tltype="list")


def refused(retry_after_us=1_500_000, degraded=None):
    return Decision(
        False,
        (
            Outcome(HOURLY, True, 40, 0, 2_160_000_001),
            Outcome(BURST, False, 0, retry_after_us, 6_666_667),
        ),
        degraded,
    )


def test_refusal_names_the_violated_policies():
    answer = refuse(RULES, refused())

    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content) == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Request cannot be satisfied as assigned quota has been exceeded",
        "status": 429,
        "violated-policies": ["burst"],
    }


def test_refusal_is_not_stored_by_a_cache():
    assert refuse(RULES, refused())["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("microseconds", "seconds"),
    [(1, "1"), (999_999, "1"), (1_000_000, "1"), (1_000_001, "2"), (59_000_001, "60")],
)
def test_retry_after_is_the_first_whole_second_that_is_allowed(microseconds, seconds):
    assert refuse(RULES, refused(microseconds))["Retry-After"] == seconds


def test_fields_list_every_policy():
    answer = refuse(RULES, refused())

    # 10 tokens at 3 in 2 s come back in 6.67 s.
    assert parsed(answer, "RateLimit-Policy") == [
        ("hourly", {"q": 100, "w": 3600}),
        ("burst", {"q": 10, "w": 7}),
    ]
    assert parsed(answer, "RateLimit") == [
        ("hourly", {"r": 40, "t": 2161}),
        ("burst", {"r": 0, "t": 2}),
    ]


@pytest.mark.parametrize(
    ("policy", "window_seconds"),
    [
        (Policy("a", 100, Rate(100, 60)), 60),
        (Policy("a", 3, Rate(7)), 1),  # 3/7 s, rounded up
        (Policy("a", 3_000_000, Rate(3_000_000)), 1),
        (Policy("a", 3_000_001, Rate(3_000_000)), 2),  # a third of a microsecond more
    ],
)
def test_window_is_the_time_that_fills_a_bucket(policy, window_seconds):
    assert policy_field(RuleSet("one", (policy,))).endswith(f";w={window_seconds}")


def test_allowed_request_is_told_what_remains():
    answer = problem(404, "No such airport")
    outcome = Outcome(BURST, True, 9, 0, 666_667)

    annotate(answer, (RuleSet("one", (BURST,)), Decision(True, (outcome,))))

    assert parsed(answer, "RateLimit") == [("burst", {"r": 9, "t": 1})]
    assert "Retry-After" not in answer
    assert "RateLimit-Mode" not in answer


def test_closed_policy_without_its_store_asks_to_wait():
    closed = Policy("closed", 10, Rate(1))
    outcome = Outcome(closed, False, 0, 500_000, 500_000)

    answer = refuse(RuleSet("one", (closed,)), Decision(False, (outcome,), OnFailure.CLOSED))

    assert answer.status_code == 429
    assert answer["Retry-After"] == "1"
    assert answer["RateLimit-Mode"] == "closed"
    assert "RateLimit" not in answer
    assert json.loads(answer.content)["type"].endswith("#temporary-reduced-capacity")


def test_local_decision_says_so():
    answer = refuse(RULES, refused(degraded=OnFailure.LOCAL))

    assert answer["RateLimit-Mode"] == "local"
    assert answer["Retry-After"] == "2"


def test_open_decision_claims_no_remainder():
    answer = problem(404, "No such airport")
    opened = Policy("open", 10, Rate(1))
    decision = Decision(True, (Outcome(opened, True, 10, 0, 0),), OnFailure.OPEN)

    annotate(answer, (RuleSet("one", (opened,)), decision))

    assert answer["RateLimit-Mode"] == "open"
    assert "RateLimit" not in answer


microseconds = st.integers(0, 10**15)


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 10**12), microseconds, microseconds),
        min_size=2,
        max_size=2,
    ).filter(lambda rows: not all(row[0] for row in rows))
)
def test_fields_of_any_refusal_are_true_to_the_draft(rows):
    outcomes = tuple(
        Outcome(policy, *row) for policy, row in zip(RULES.policies, rows, strict=True)
    )

    answer = refuse(RULES, Decision(False, outcomes))

    items = dict(parsed(answer, "RateLimit"))
    assert list(items) == ["hourly", "burst"]
    assert all(item["r"] >= 0 and item["t"] >= 0 for item in items.values())
    for outcome in outcomes:
        if not outcome.allowed:
            assert 1 <= items[outcome.policy.name]["t"] <= int(answer["Retry-After"])
