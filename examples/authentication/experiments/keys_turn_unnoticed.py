"""Replace the signing key twice while tokens of before are used; then retire what they were signed with."""

import json
import threading
from base64 import urlsafe_b64decode
from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    volley,
)

from . import PATIENCE_SECONDS, accepted, login, request, send

RATE, TURNS, ASKED, AT_ONCE = 100, 2, 50, 64
# A file of secrets is copied with another mode, and is away while it is replaced: half a second each.
SPOILT = """
import time
from flights import configured
path = configured.key_file().path
beside = path.with_suffix(".away")
try:
    path.chmod(0o644)
    time.sleep(0.5)
    path.rename(beside)
    time.sleep(0.5)
finally:
    beside.exists() and beside.rename(path)
    path.chmod(0o600)
"""


def kid(token: str) -> str:
    head = token.split(".")[0]
    return str(json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("kid", ""))


class KeysTurnUnnoticed(Experiment):
    slug = "keys-turn-unnoticed"
    claim = (
        "The signing key is replaced twice under 100 requests/s, then its file is spoilt and lost, "
        "and no token is refused; once a key is retired, its tokens are."
    )
    holds = ("sessions",)
    refuted = ("tutorial",)
    reports = (
        (
            "jalantechnologies/flask-react-template#782",
            "another signing key logs every user out, and so the key is never changed",
            "keys verify before they sign and after",
        ),
    )
    refused = Series("requests", "with a good token that were refused")
    unlisted = Series("tokens", "whose key was not published before")
    retired = Series("requests", "with a retired key that were let in")
    chart = Chart(refused, "requests with a good token that were refused")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        self.tokens = [login(stack, variant, "passenger-1")["access"]]
        self.strange, self.over = 0, threading.Event()
        failures: list[Exception] = []
        turning = threading.Thread(target=self._turn, args=(stack, variant, failures), daemon=True)
        refused = 0
        yield clock_starts()
        turning.start()
        try:
            while True:
                last = not turning.is_alive()
                for let_in in self._under_load(stack, variant):
                    refused += not let_in
                    yield self.refused(refused)
                if last:
                    break
        finally:
            self.over.set()  # a turn that was begun is finished: the next run has to find one key that signs
            turning.join(PATIENCE_SECONDS)
        if failures:
            raise ExperimentError(f"the keys did not turn: {failures[0]}")
        yield self.unlisted(self.strange)
        stack.manage("turn", "retire", "--now")
        yield self.retired(self._with(stack, variant, self.tokens[0]))

    def _turn(self, stack: Stack, variant: str, failures: list[Exception]) -> None:
        try:
            for _ in range(TURNS):
                if self.over.is_set():
                    return
                stack.manage("turn", "publish")
                listed = send(stack, variant, "keys/", "GET").body.decode()
                stack.manage("turn", "sign", "--now")
                made = login(stack, variant, "passenger-2")["access"]
                self.strange += kid(made) not in listed
                self.tokens.append(made)
            # So many at once that each process is asked, and has read the last key: without the file it
            # could not learn it.
            asked = [request(stack, variant, "me/", token=self.tokens[-1])] * 4 * AT_ONCE
            list(volley(asked, processes=2, connections=AT_ONCE, timeout_seconds=PATIENCE_SECONDS))
            if not self.over.is_set():
                stack.manage("shell", "--no-imports", "-c", SPOILT)
        except Exception as error:  # told by the run itself
            failures.append(error)

    def _under_load(self, stack: Stack, variant: str) -> Iterator[bool]:
        """Yield of a second's requests, with the tokens of all keys so far, whether each was let in."""
        tokens = [self.tokens[place % len(self.tokens)] for place in range(RATE)]
        requests = [request(stack, variant, "me/", token=each) for each in tokens]
        for answer in volley(
            requests, processes=2, connections=16, rate=RATE, timeout_seconds=PATIENCE_SECONDS
        ):
            yield bool(accepted([answer]))

    def _with(self, stack: Stack, variant: str, token: str) -> int:
        requests = [request(stack, variant, "me/", token=token)] * ASKED
        return accepted(
            list(volley(requests, processes=2, connections=16, timeout_seconds=PATIENCE_SECONDS))
        )

    def judge(self, samples: Samples, params: Params) -> Verdict:
        seen = samples.values(self.refused)
        refused = Verdict.at_most(
            samples.last(self.refused),
            0,
            f"{{measured}} of {len(seen):,} requests with a good token refused as keys turned",
        )
        if not refused.holds:
            return refused
        samples.wait_for_end()
        return refused.provided(
            Verdict.at_most(
                samples.last(self.unlisted), 0, "{measured} tokens with a key that was not listed"
            )
            & Verdict.at_most(
                samples.last(self.retired), 0, f"{{measured}} of {ASKED} with a retired key let in"
            )
        )
