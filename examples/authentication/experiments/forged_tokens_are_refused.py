"""Send tokens forged out of a good one, and a token that was logged out in other spellings."""

import json
from collections.abc import Iterator
from pathlib import Path

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
    expect,
)

from . import login, send

BATTERY = Path(__file__).with_name("battery").joinpath("forge.py").read_text(encoding="utf-8")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def spellings(token: str) -> list[str]:
    """Return texts that a decoder may take for the same token: padding, spare bits, the other alphabet."""
    head, body, signature = token.split(".")
    place = LETTERS.index(signature[-1])
    spare = (
        16 if len(signature) % 4 == 2 else 4
    )  # values of the bits that the last letter leaves over
    bits = [LETTERS[place - place % spare + n] for n in range(spare) if n != place % spare]
    found = [f"{head}.{body}.{signature[:-1]}{letter}" for letter in bits]
    found += [f"{token}{more}" for more in ("=", "==", "===", ".", "..", "%3D")]
    found += [f"{head}=.{body}.{signature}", f"{head}.{body}=.{signature}"]
    found += [token.replace("-", "+"), token.replace("_", "/"), f"{token[:-1]} {token[-1]}"]
    return [each for each in found if each != token]


class ForgedTokensAreRefused(Experiment):
    slug = "forged-tokens-are-refused"
    claim = (
        "None of 38 forged tokens opens anything, 17 of them signed with the right key, "
        "nor does a token that was logged out, however it is spelled."
    )
    holds = ("sessions",)
    refuted = ("tutorial",)
    good = Series("tokens", "good ones let in")
    sent = Series("tokens", "forged")
    forged = Series("tokens", "forged and let in")
    spelled = Series("spellings", "of a token that was logged out, let in")
    spellings = Series("spellings", "tried")
    let_in = Series("tokens")
    chart = Chart(let_in, "forged tokens let in, and other spellings")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        token = login(stack, variant, "passenger-1")["access"]
        code = f"{BATTERY}\nprint(json.dumps(forge({token!r})))"
        said = stack.manage("shell", "--no-imports", "-c", code)
        forged = json.loads(said.splitlines()[-1])
        yield clock_starts()
        yield self.good(self._let_in(stack, variant, token))
        yield self.sent(len(forged))
        count = 0
        for each in forged.values():
            count += self._let_in(stack, variant, each)
            yield self.forged(count)
            yield self.let_in(count)
        expect(send(stack, variant, "logout/", token=token), 204)
        if self._let_in(stack, variant, token):
            raise ExperimentError("a token is good after its logout: there is nothing to get past")
        others, spelled = spellings(token), 0
        yield self.spellings(len(others))
        for each in others:
            spelled += self._let_in(stack, variant, each)
            yield self.spelled(spelled)
            yield self.let_in(count + spelled)

    def _let_in(self, stack: Stack, variant: str, token: str) -> bool:
        return expect(send(stack, variant, "me/", "GET", token=token), 200, 401).status == 200

    def judge(self, samples: Samples, params: Params) -> Verdict:
        sent, others = samples.last(self.sent), samples.last(self.spellings)
        samples.wait_for_end()
        forged, spelled = samples.last(self.forged), samples.last(self.spelled)
        verdict = Verdict.at_most(
            samples.last(self.let_in),
            0,
            f"{{measured}} let in: {forged:.0f} of {sent:.0f} forged tokens, "
            f"and {spelled:.0f} of {others:.0f} other spellings after the logout",
        )
        good = samples.last(self.good)
        return verdict.provided(
            Verdict.at_least(good, 1, "{measured} of {bound} good tokens let in")
        )
