"""When to try again."""

from hypothesis import given
from hypothesis import strategies as st
from jobs.backoff import Backoff


@given(st.floats(0.1, 100), st.floats(0.1, 10_000), st.integers(1, 10_000))
def test_delay_lies_between_zero_and_the_bound_of_the_attempt(base, cap, failures):
    backoff = Backoff(base, cap)

    assert backoff.longest(failures) == min(cap, base * 2.0 ** min(failures - 1, 32))
    assert 0 <= backoff.delay(failures) <= backoff.longest(failures)


def test_bound_doubles_up_to_the_cap():
    assert [Backoff(8, 50).longest(failures) for failures in (1, 2, 3, 4, 5)] == [8, 16, 32, 50, 50]


def test_delay_is_drawn_from_all_of_the_bound():
    """Full jitter: what chooses is asked for a number between 0 and the bound, and is believed."""
    asked = []

    def uniform(low, high):
        asked.append((low, high))
        return high / 4

    assert Backoff(8, 50, uniform).delay(3) == 8
    assert asked == [(0, 32)]
