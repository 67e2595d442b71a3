"""Policies that mean nothing are refused where they are written, in one sentence."""

from fractions import Fraction

import pytest
from limiter.policy import Policy, Rate


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(
            ("a", 10, Rate(0, 1)),
            r"Rate\(count=0, seconds=1\): numbers have to be above 0",
            id="no rate",
        ),
        pytest.param(("a", 10, Rate(-5, 1)), "numbers have to be above 0", id="negative rate"),
        pytest.param(("a", 10, Rate(1, 0)), "numbers have to be above 0", id="no time"),
        pytest.param(
            ("a", 0, Rate(1, 1)), "with burst 0 and .* numbers have to be above 0", id="no burst"
        ),
        pytest.param(("A b", 10, Rate(1, 1)), "the name of a-z0-9_- alone", id="name"),
        pytest.param(("a", 10, Rate(10_007, 1)), "cannot be counted exactly", id="p above 9,999"),
        pytest.param(("a", 10, Rate(1, 0.1)), "cannot be counted exactly", id="no tenth"),
        pytest.param(("a", 10**12, Rate(7, 86_400)), "cannot be counted", id="capacity"),
    ],
)
def test_impossible_policy_is_refused_in_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence) as refusal:
        Policy(*arguments)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("burst", [0, 100, 101])
def test_strict_policy_needs_a_burst_below_its_limit(burst):
    with pytest.raises(ValueError, match="numbers have to be above 0"):
        Policy.strict("a", limit=100, window_seconds=4, burst=burst)


@pytest.mark.parametrize(
    ("rate", "p", "q"),
    [
        (Rate(100, 60), 1, 600_000),  # 100 / 60e6
        (Rate(3, 2), 3, 2_000_000),  # 1.5/s
        (Rate(1_000_000), 1, 1),
        (Rate(6_000), 3, 500),
        (Rate(1, Fraction(1, 3)), 3, 1_000_000),
        (Rate(9_999_000_000), 9_999, 1),
    ],
)
def test_rate_is_reduced_to_p_tokens_in_q_microseconds(rate, p, q):
    policy = Policy("a", 1, rate)

    assert (policy.ticks_per_us, policy.ticks_per_token) == (p, q)


def test_strict_policy_admits_no_more_than_its_limit_in_a_window():
    policy = Policy.strict("a", limit=100, window_seconds=4, burst=20)

    assert policy.burst + Fraction(policy.rate.count, policy.rate.seconds) * 4 == 100
