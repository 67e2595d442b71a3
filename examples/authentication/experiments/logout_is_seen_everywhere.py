"""Log out, change a password, deactivate a user: who is let in afterwards, by four server processes?"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping

from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    expect,
    until,
    volley,
)

from . import PATIENCE_SECONDS, accepted, login, refresh, request, send, someone, sql

REQUESTS, AWAY, ROUNDS = 100, 20, 1_000
type Tokens = dict[str, str]


def log_out(stack: Stack, variant: str, _name: str, tokens: Tokens) -> None:
    body = {"refresh": tokens["refresh"]}  # what simplejwt asks for
    expect(send(stack, variant, "logout/", body=body, token=tokens["access"]), 200, 204)


def change_password(stack: Stack, variant: str, _name: str, tokens: Tokens) -> None:
    body = {"old": stack.staff_token, "new": f"another {stack.staff_token}"}
    expect(send(stack, variant, "password/", body=body, token=tokens["access"]), 204)


def deactivate(stack: Stack, _variant: str, name: str, _tokens: Tokens) -> None:
    sql(stack, "UPDATE auth_user SET is_active = false WHERE username = %s", name)


def raise_rounds(stack: Stack, name: str) -> None:
    """Leave a user with a hash of fewer rounds than are asked for, as a new release finds them all.

    No trigger fires for a replica: that this is the same password, the table cannot know.
    """
    digest = hashlib.pbkdf2_hmac("sha256", stack.staff_token.encode(), b"salt", ROUNDS)
    stored = f"pbkdf2_sha256${ROUNDS}$salt${base64.b64encode(digest).decode()}"
    sql(
        stack,
        """UPDATE auth_user SET password = %s
        FROM set_config('session_replication_role', 'replica', true) WHERE username = %s""",
        stored,
        name,
    )


EVENTS: Mapping[str, Callable[[Stack, str, str, Tokens], None]] = {
    "logout": log_out,
    "another password": change_password,
    "deactivation": deactivate,
}


class LogoutIsSeenEverywhere(Experiment):
    slug = "logout-is-seen-everywhere"
    claim = (
        "After a logout, another password or a deactivation no server process lets one of 100 requests "
        "in, nor the refresh token; without its database it lets nobody in. A hash stored anew ends nothing."
    )
    holds = ("sessions",)
    refuted = ("simplejwt",)
    reports = (
        (
            "jazzband/djangorestframework-simplejwt#744",
            "the refresh token is on the blacklist, and the access token works on",
            "the statement that says who asks finds no session",
        ),
    )
    before = Series("requests", "let in before, though a login has stored a hash anew")
    late = Series("requests", "let in after the session's end")
    in_vain = Series("requests", "while the database was away, not told to come back later")
    chart = Chart(late, "requests let in after the session's end")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        users = {someone(stack): end for end in EVENTS.values()}
        tokens = {name: login(stack, variant, name) for name in users}
        asked = [
            request(stack, variant, "me/", token=each["access"]) for each in tokens.values()
        ] * REQUESTS
        yield clock_starts()
        if variant not in self.refuted:  # which knows no session that it could end
            again, *_ = users
            raise_rounds(stack, again)
            login(stack, variant, again)
        before = self._let_in(asked)
        yield self.before(before)
        if before < len(asked):
            return
        for name, end in users.items():
            end(stack, variant, name, tokens[name])
        late = self._let_in(asked)
        yield self.late(late)
        for each in tokens.values():
            late += refresh(stack, variant, each["refresh"]) is not None
            yield self.late(late)
        if variant in self.refuted:
            return
        known = login(stack, variant, "passenger-1")
        asked = [
            request(stack, variant, "me/", token=known["access"]),
            request(stack, variant, "refresh/", "POST", {"refresh": known["refresh"]}),
        ] * AWAY
        with stack.killed("postgres"):
            answers = [ask(each, timeout_seconds=PATIENCE_SECONDS) for each in asked]
        yield self.in_vain(sum(not self._comes_back(each) for each in answers))
        if not until(lambda: ask(asked[0]).status == 200, PATIENCE_SECONDS, step_seconds=0.2):
            raise ExperimentError("the service did not find its database again")

    def _comes_back(self, answer: Answer) -> bool:
        return answer.status == 503 and "retry-after" in answer.headers

    def _let_in(self, asked: list[Request]) -> int:
        answers = volley(asked, processes=2, connections=16, timeout_seconds=PATIENCE_SECONDS)
        return accepted(list(answers))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()  # it names all three
        before = Verdict.at_least(
            samples.last(self.before),
            len(EVENTS) * REQUESTS,
            "{measured} of {bound} let in before their session's end",
        )
        if not before.holds:
            return before
        most = len(EVENTS) * (REQUESTS + 1)
        late = Verdict.at_most(
            samples.last(self.late),
            0,
            f"{{measured}} of {most} requests let in after their session's end",
        )
        if not late.holds:
            return late
        away = "{measured} requests without a database not told to come back"
        return late.provided(before & Verdict.at_most(samples.last(self.in_vain), 0, away))
