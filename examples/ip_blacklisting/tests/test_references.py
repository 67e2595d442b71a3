"""A reference hides the number of a ban, and gives it back to who has the key."""

from hypothesis import given
from hypothesis import strategies as st
from shield.references import number, reference


@given(st.integers(0, 2**64 - 1))
def test_reference_turns_back_into_its_number(ban):
    assert number(reference(ban, b"key"), b"key") == ban


@given(st.text(max_size=20))
def test_what_is_no_reference_is_no_error(text):
    assert number(text, b"key") is None or len(text) == 13


def test_neighbours_do_not_look_alike():
    assert len({reference(ban, b"key")[:6] for ban in range(100)}) == 100
