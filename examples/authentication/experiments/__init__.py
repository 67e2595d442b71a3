"""The claims of this example, and what they share: callers, their tokens, and a barrier in the database.

Nothing here is judged by a stopwatch but the flood of logins, and there only "answered" is told from "hung".
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg

from nexus.experiment import Answer, ExperimentError, Request, Stack, ask, expect, rest, until

CLAIMS = (
    "one-token-one-successor",
    "a-stolen-token-ends-the-family",
    "logout-is-seen-everywhere",
    "forged-tokens-are-refused",
    "no-door-to-foreign-objects",
    "identity-ends-with-the-request",
    "keys-turn-unnoticed",
    "a-flood-of-logins-hurts-no-one-else",
)
BEGINS_AS = "tutorial"  # exercises/mine.py, where a reader begins

# Whose tokens a variant takes that has no login of its own.
TOKENS_OF = {"is_owner": "simplejwt", "session_setting": "sessions"}
PATIENCE_SECONDS = 60  # on a busy machine; tells "answered" from "hung"
WRITTEN = "sessions_family, token_blacklist_outstandingtoken, token_blacklist_blacklistedtoken"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def request(
    stack: Stack, variant: str, path: str, method: str = "GET", body: Any = None, token: str = ""
) -> Request:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    data = b"" if body is None else json.dumps(body).encode()
    return Request(f"{stack.url}/api/{variant}/{path}", headers, method, data)


def send(stack: Stack, variant: str, path: str, method: str = "POST", **more: Any) -> Answer:
    return ask(request(stack, variant, path, method, **more), timeout_seconds=PATIENCE_SECONDS)


def login(stack: Stack, variant: str, name: str) -> dict[str, str]:
    """Return the tokens of a user; who is told to come back later does."""
    body = {"username": name, "password": stack.staff_token}
    answers: list[Answer] = []

    def signed_in() -> bool:
        answers.append(send(stack, TOKENS_OF.get(variant, variant), "login/", body=body))
        return expect(answers[-1], 200, 503).status == 200

    if not until(signed_in, PATIENCE_SECONDS, step_seconds=0.5):
        raise ExperimentError(f"nobody could sign in within {PATIENCE_SECONDS} s")
    found: dict[str, str] = json.loads(answers[-1].body)
    return found


def refresh(stack: Stack, variant: str, token: str) -> dict[str, str] | None:
    """Return the tokens that come after a refresh token; None if it was refused."""
    answer = expect(send(stack, variant, "refresh/", body={"refresh": token}), 200, 401)
    found: dict[str, str] | None = json.loads(answer.body) if answer.status == 200 else None
    return found


def sql(stack: Stack, query: str, *args: object) -> list[Any]:
    """Run a query as the owner of all tables, whom no policy concerns; return its rows."""
    with psycopg.connect(stack.services["postgres"], autocommit=True) as connection:
        done = connection.execute(query.encode(), args or None)
        return done.fetchall() if done.description else []


def someone(stack: Stack) -> str:
    """Make a user with the password of the others; return the name."""
    name = f"user-{uuid4().hex[:8]}"
    sql(
        stack,
        """INSERT INTO auth_user (username, password, is_active, is_staff, is_superuser, first_name,
            last_name, email, date_joined)
        SELECT %s, password, true, false, false, '', '', '', now()
        FROM auth_user WHERE username = 'staff'""",
        name,
    )
    return name


@contextmanager
def all_at_once(stack: Stack, most: int) -> Iterator[None]:
    """Let nobody write a token until as many wait as will come, or `most`; begins before the block."""
    locked, failed = threading.Event(), []

    def hold() -> None:
        try:
            with psycopg.connect(stack.services["postgres"]) as connection:
                connection.execute(f"LOCK TABLE {WRITTEN} IN EXCLUSIVE MODE".encode())
                locked.set()
                _gathered(stack, most)
        except psycopg.Error as error:
            failed.append(error)
            locked.set()

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    locked.wait(PATIENCE_SECONDS)
    yield
    holder.join(PATIENCE_SECONDS)
    if failed or holder.is_alive():
        raise ExperimentError(f"the barrier did not hold: {failed}")


def _gathered(stack: Stack, most: int) -> None:
    """Return once `most` wait for a lock, or nobody has come for two seconds after the first."""
    seen: list[int] = []
    for _ in range(PATIENCE_SECONDS * 20):
        seen.append(int(sql(stack, WAITING)[0][0]))
        if seen[-1] >= most or (seen[-1] > 1 and seen[-40:].count(seen[-1]) == 40):
            return
        rest(0.05)


def accepted(answers: Sequence[Answer]) -> int:
    """Return how many were let in; the others have to be refused for their token."""
    return sum(expect(each, 200, 401).status == 200 for each in answers)
