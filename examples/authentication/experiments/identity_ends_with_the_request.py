"""Ask with and without a token in turn over kept connections, some of them cut, some requests refused."""

import itertools
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    clock_starts,
    expect,
    volley,
)

from . import PATIENCE_SECONDS, login, request

REQUESTS, CUT, REFUSED = 1_000, 100, 20


def cut_off(asked: Request) -> None:
    """Send a request, and hang up before the answer."""
    parts = urlsplit(asked.url)
    lines = [f"{asked.method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in asked.headers.items()]
    with socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())


class IdentityEndsWithTheRequest(Experiment):
    slug = "identity-ends-with-the-request"
    claim = (
        "Of 1,000 requests over kept connections, every second one anonymous, "
        "no anonymous one sees a row, though others are cut off or refused in between."
    )
    holds = ("sessions",)
    refuted = ("session_setting",)
    reports = (
        (
            "typeorm/typeorm#5857",
            "a setting of the connection is still there for whoever uses it next",
            "it ends with the transaction of the request",
        ),
    )
    leaked = Series("requests", "anonymous ones that saw rows")
    known = Series("requests", "of a passenger that saw their ten rows")
    chart = Chart(leaked, "anonymous requests that saw somebody's rows")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        token = login(stack, variant, "passenger-1")["access"]
        known, nobody = (request(stack, variant, "flights/", token=each) for each in (token, ""))
        # In the transaction of somebody: it ends by an error, and nobody waits for its answer.
        refused = request(stack, variant, "bookings/", "POST", {"seat": "1A"}, token)
        yield clock_starts()
        for each in [known] * CUT + [refused] * REFUSED:
            cut_off(each)
        mixed = [*itertools.chain.from_iterable([(known, nobody)] * (REQUESTS // 2))]
        leaked = seen = 0
        for answer in volley(mixed, processes=1, connections=32, timeout_seconds=PATIENCE_SECONDS):
            rows = sum(each["yours"] for each in json.loads(expect(answer, 200).body))
            if mixed[answer.request] is known:
                seen += rows == 10
                yield self.known(seen)
            else:
                leaked += rows > 0
                yield self.leaked(leaked)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        asked = len(samples.values(self.leaked))
        words = f"{{measured}} of {asked} anonymous requests saw somebody's rows"
        verdict = Verdict.at_most(samples.last(self.leaked), 0, words)
        if not verdict.holds:
            return verdict
        samples.wait_for_end()
        half = REQUESTS // 2
        return verdict.provided(
            Verdict.at_least(
                samples.last(self.known), half, "{measured} of {bound} passengers saw their own"
            )
        )
