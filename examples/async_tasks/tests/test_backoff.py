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
