"""Refresh families against their table: what is refused, and a model of all they may do."""

import dataclasses
import logging
import uuid

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.signing import Signer
from django.db import connection, connections, transaction
from flights import configured
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
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


def living(connection, user):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM sessions_family WHERE user_id = %s AND revoked_at IS NULL", [user]
        )
        return cursor.fetchone()[0]


def by_command(user):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("getpass.getpass", lambda **_: "another")
        call_command("changepassword", get_user_model().objects.get(pk=user).username, verbosity=0)


def by_sql(user):
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE auth_user SET password = 'another' WHERE id = %s", [user])


def after_a_new_hash(user):
    stored = get_user_model().objects.get(pk=user).password
    with transaction.atomic():
        assert FAMILIES.renew(connection, user, stored, "renewed")
        get_user_model().objects.filter(pk=user).update(password="another")


@pytest.mark.report(
    "immich-app/immich#30125",
    "a password that is set anew by a command leaves the sessions of before alive",
    "the database ends them, whoever sets the password",
)
@pytest.mark.parametrize("another", [by_command, by_sql, after_a_new_hash])
def test_another_password_ends_all_sessions_of_a_user_and_no_others(user, issued, begin, another):
    other = begin(get_user_model().objects.get(username="staff").pk)
    begin(user)
    get_user_model().objects.get(pk=user).save()  # the password is the same
    assert living(connection, user) == 2

    another(user)
    assert living(connection, user) == 0
    assert not alive(connection, issued.refresh)
    assert alive(connection, other.refresh)


def test_no_table_holds_a_token(connection, issued):
    FAMILIES.refresh(connection, issued.refresh)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sessions_family::text FROM sessions_family")
        rows = " ".join(row[0] for row in cursor.fetchall())

    assert issued.claims.session in rows
    assert issued.refresh.partition(":")[2] not in rows


DAY = 86_400
RETRY = 1_000  # seconds; the steps of time are far from it, so that a slow machine changes nothing


@dataclasses.dataclass
class Expected:
    """What a family has to be: its tokens, which of them is live, and the age of it and of the last use."""

    given: list
    live: int = 0
    age: int = 0
    used: int = 0
    ended: bool = False

    @property
    def session(self):
        return self.given[0].partition(".")[0]

    def let_in(self, number):
        if self.ended or self.age >= 30 * DAY:
            return False
        return number == self.live or (number == self.live - 1 and self.used < RETRY)


class Model(RuleBasedStateMachine):
    """Several families of one user: any token that was ever given, in any order, at any time."""

    def __init__(self):
        super().__init__()
        from django.db import connection

        self.connection = connection
        self.families = Families(FAMILIES.signer, retry_seconds=RETRY)
        users = get_user_model().objects.using("owner")
        self.user = users.create(username=uuid.uuid4().hex, password=uuid.uuid4().hex)
        self.expected = []
        self.log_in()

    def sql(self, query, **asked):
        with self.connection.cursor() as cursor:
            cursor.execute(query, {"user": self.user.pk} | asked)
            return cursor.fetchall() if cursor.description else []

    @rule()
    def log_in(self):
        issued = self.families.begin(self.connection, self.user.pk, self.user.password)
        self.expected.append(Expected([issued.refresh]))

    def of(self, back):
        """Return a family, counted from the one that began last."""
        return self.expected[-1 - back % len(self.expected)]

    @rule(which=st.integers(0, 2))
    def refresh(self, which):
        family = self.of(which)
        self.present(family, len(family.given) - 1)

    @rule(which=st.integers(0, 2), back=st.integers(1, 3))
    def replay(self, which, back):
        family = self.of(which)
        self.present(family, max(0, len(family.given) - 1 - back))

    def present(self, family, number):
        if not family.let_in(number):
            with pytest.raises(Refused):
                self.families.refresh(self.connection, family.given[number])
            # It was used before, and so two hold it; but of a family that is too old nobody is suspected.
            family.ended |= family.age < 30 * DAY
            return
        answer = self.families.refresh(self.connection, family.given[number]).refresh
        if number == family.live:
            family.live, family.used = family.live + 1, 0
            family.given.append(answer)
        assert answer == family.given[family.live]

    @rule(which=st.integers(0, 2))
    def log_out(self, which):
        family = self.of(which)
        assert self.families.revoke(self.connection, family.session) == (not family.ended)
        family.ended = True

    @rule()
    def set_another_password(self):
        self.user.password = uuid.uuid4().hex
        self.user.save()
        for family in self.expected:
            family.ended = True

    @rule(seconds=st.sampled_from([RETRY * 2 // 5, RETRY * 2, 16 * DAY]))
    def time_passes(self, seconds):
        self.sql(
            """UPDATE sessions_family SET rotated_at = rotated_at - %(age)s * interval '1 second',
            begun_at = begun_at - %(age)s * interval '1 second' WHERE user_id = %(user)s""",
            age=seconds,
        )
        for family in self.expected:
            family.age += seconds
            family.used += seconds

    @invariant()
    def the_table_says_who_is_signed_in(self):
        rows = self.sql(
            """SELECT id::text, generation - 1 FROM sessions_family
            WHERE user_id = %(user)s AND revoked_at IS NULL"""
        )
        assert dict(rows) == {each.session: each.live for each in self.expected if not each.ended}


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
