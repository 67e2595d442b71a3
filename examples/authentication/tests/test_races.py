"""Two at once: each test holds the row that both want, until they wait for it."""

import json
import os
import threading
import uuid
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
from django.contrib.auth.hashers import make_password
from django.db import connections
from django.test import Client
from flights import configured
from sessions.access import Refused

PASSWORD = os.environ["STAFF_TOKEN"]
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()"""


@contextmanager
def held(statement, args, waiting):
    """Run a statement in a transaction, and commit it once so many wait for its row."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as holder:
        holder.execute(statement, args)
        yield
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as watcher:
            for _ in range(2_000):  # ten seconds
                if watcher.execute(WAITING).fetchone()[0] == waiting:
                    return
                threading.Event().wait(0.005)
        pytest.fail("they do not wait for the row")


def behind(statement, args, *calls):
    """Return what each call returns that begins while another transaction holds its row; Refused is None."""
    found = [None] * len(calls)

    def run(place):
        try:
            found[place] = calls[place]()
        except Refused:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(calls))]
    with held(statement, args, len(calls)):
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(20)
    return found


@pytest.mark.report(
    "Ketbome/minepanel#252",
    "a session begins from a check that another password has overtaken, and outlives the change",
    "the statement that begins a family waits for the change, and compares the password again",
)
def test_a_login_that_another_password_overtakes_is_none(connection, user):
    from django.contrib.auth import get_user_model

    checked = get_user_model().objects.get(pk=user).password
    families = configured.families()

    (issued,) = behind(
        "UPDATE auth_user SET password = 'another' WHERE id = %s",
        (user,),
        lambda: families.begin(connection, user, checked),
    )

    assert issued is None


def posted(path, body, **headers):
    client = Client(headers={"Host": "localhost", **headers})
    return client.generic(
        "POST", f"/api/sessions/{path}/", json.dumps(body), content_type="application/json"
    ).status_code


ANOTHER = "UPDATE auth_user SET password = %s WHERE id = %s"


def test_of_two_changes_of_a_password_the_second_has_to_know_the_first(user, token):
    body = {"old": PASSWORD, "new": uuid.uuid4().hex}
    change = partial(posted, "password", body, Authorization=f"Bearer {token}")

    assert behind(ANOTHER, (make_password("another"), user), change) == [401]


@pytest.mark.report(
    "roostorg/coop#901",
    "a login that stores its hash anew writes the old password over one that was set meanwhile",
    "the hash is stored where the checked one still is, and else the login begins again",
)
def test_a_hash_that_is_stored_anew_overwrites_no_other_password(user, old_hash):
    from django.contrib.auth import get_user_model

    another = make_password("another")

    assert behind(ANOTHER, (another, user), partial(posted, "login", old_hash)) == [401]
    assert get_user_model().objects.get(pk=user).password == another


@pytest.mark.report(
    "keycloak/keycloak#39140",
    "of two logins that store a hash anew at once, the second one fails",
    "it finds the new hash, checks it, and is let in",
)
def test_two_logins_that_store_a_hash_anew_are_both_let_in(user, old_hash, tmp_path, monkeypatch):
    monkeypatch.setattr(configured, "gate", partial(configured.Gate, tmp_path, places=2))
    row, login = (
        "SELECT FROM auth_user WHERE id = %s FOR UPDATE",
        partial(posted, "login", old_hash),
    )

    assert behind(row, (user,), login, login) == [200, 200]


@pytest.mark.parametrize("first", ["logout", "refresh"])
def test_a_refresh_beside_a_logout_leaves_no_token(connection, issued, first):
    families, session = configured.families(), issued.claims.session

    calls = [
        lambda: families.revoke(connection, session),
        lambda: families.refresh(connection, issued.refresh).refresh,
    ]
    row = "SELECT FROM sessions_family WHERE id = %s FOR UPDATE"
    found = behind(row, (session,), *(calls if first == "logout" else reversed(calls)))

    assert 1 in found  # whichever came first, the family was revoked
    for token in (issued.refresh, *(each for each in found if isinstance(each, str))):
        with pytest.raises(Refused):
            families.refresh(connection, token)
