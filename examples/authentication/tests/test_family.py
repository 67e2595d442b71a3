"""Refresh families against their table: what is refused, and a model of all they may do."""

import dataclasses
import logging
import uuid

import pytest
from django.contrib.auth import get_user_model
from django.core.signing import Signer
from flights import configured
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from sessions.access import Refused
from sessions.family import Families

FAMILIES = configured.families()


def alive(connection, token):
    try:
        FAMILIES.refresh(connection, token)
    except Refused:
        return False
    return True


def age(connection, issued, seconds):
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE sessions_family SET rotated_at = rotated_at - %(age)s * interval '1 second',
            begun_at = begun_at - %(age)s * interval '1 second' WHERE id = %(id)s""",
            {"age": seconds, "id": issued.claims.session},
        )


@pytest.mark.parametrize("text", ["", "x", "1.1", f"{uuid.uuid4()}.1:x", "\0", "a" * 5000])
def test_what_this_service_did_not_sign_is_refused(connection, text):
    with pytest.raises(Refused):
        FAMILIES.refresh(connection, text)


def test_a_token_signed_for_something_else_is_refused(connection, issued):
    other = Signer(salt="another").sign(f"{issued.claims.session}.1")

    assert not alive(connection, other)


def test_a_lost_answer_is_asked_for_again(connection, issued):
    first = FAMILIES.refresh(connection, issued.refresh)

    assert FAMILIES.refresh(connection, issued.refresh) == first
    assert alive(connection, first.refresh)


@pytest.mark.report(
    "django-oauth/django-oauth-toolkit#702",
    "asked again within the grace period, the service gives back the token that is revoked",
    "it gives the successor, which is computed and the same each time",
)
def test_what_is_given_again_is_alive(connection, issued):
    FAMILIES.refresh(connection, issued.refresh)

    again = FAMILIES.refresh(connection, issued.refresh)

    assert again.refresh != issued.refresh
    assert alive(connection, again.refresh)


@pytest.mark.report(
    "django-oauth/django-oauth-toolkit#1617",
    "the grace period lets a token of generations ago through",
    "it is for the parent of the live token alone; an older one ends the family",
)
def test_a_grandparent_ends_the_family_even_at_once(connection, issued, caplog):
    second = FAMILIES.refresh(connection, issued.refresh)
    third = FAMILIES.refresh(connection, second.refresh)

    with caplog.at_level(logging.WARNING, "sessions"):
        assert not alive(connection, issued.refresh)

    assert not alive(connection, third.refresh)
    assert [issued.claims.session in record.getMessage() for record in caplog.records] == [True]


def test_a_parent_that_comes_too_late_ends_the_family(connection, issued):
    second = FAMILIES.refresh(connection, issued.refresh)
    age(connection, issued, 11)

    assert not alive(connection, issued.refresh)
    assert not alive(connection, second.refresh)


def test_a_family_is_over_after_thirty_days_and_nobody_is_suspected(connection, issued, caplog):
    age(connection, issued, 31 * 86_400)

    assert not alive(connection, issued.refresh)
    assert caplog.records == []


def test_an_inactive_user_gets_nothing_and_comes_back_with_the_same_token(connection, user, issued):
    users = get_user_model().objects.filter(pk=user)
    users.update(is_active=False)
    assert not alive(connection, issued.refresh)

    users.update(is_active=True)
    assert alive(connection, issued.refresh)


def test_an_inactive_user_gets_no_lost_answer_either(connection, user, issued):
    FAMILIES.refresh(connection, issued.refresh)
    get_user_model().objects.filter(pk=user).update(is_active=False)

    assert not alive(connection, issued.refresh)


def test_all_sessions_of_a_user_end_and_no_others(connection, user, issued):
    other = FAMILIES.begin(connection, get_user_model().objects.get(username="staff").pk)
    FAMILIES.begin(connection, user)

    assert FAMILIES.revoke(connection, user=user) == 2
    assert not alive(connection, issued.refresh)
    assert alive(connection, other.refresh)


def test_no_table_holds_a_token(connection, issued):
    FAMILIES.refresh(connection, issued.refresh)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sessions_family::text FROM sessions_family")
        rows = " ".join(row[0] for row in cursor.fetchall())

    assert issued.claims.session in rows
    assert issued.refresh.partition(":")[2] not in rows


class Model(RuleBasedStateMachine):
    """One family: any token that was ever given, in any order, and whether it is let in."""

    def __init__(self):
        super().__init__()
        from django.db import connection

        self.connection = connection
        self.families = dataclasses.replace(Families(FAMILIES.signer), retry_seconds=10_000)
        staff = get_user_model().objects.get(username="staff")
        self.given = [self.families.begin(connection, staff.pk).refresh]
        self.live, self.ended = 0, False

    @rule(back=st.integers(0, 3))
    def present(self, back):
        number = max(0, len(self.given) - 1 - back)
        try:
            answer = self.families.refresh(self.connection, self.given[number]).refresh
        except Refused:
            assert self.ended or number < self.live - 1
            self.ended = True
            return
        assert not self.ended
        if number == self.live:
            self.live += 1
            self.given.append(answer)
        assert number == self.live - 1
        assert answer == self.given[self.live]

    @precondition(lambda self: len(self.given) > 2)
    @rule()
    def log_out(self):
        session = self.given[0].partition(".")[0]
        assert self.families.revoke(self.connection, session=session) == (not self.ended)
        self.ended = True


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
