"""Last year's client, call by call as it was recorded, against this year's release."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    expect,
)

from . import told, url

CALLS = 12
SIGNS = 3  # the new field, since when the old one is deprecated, and when it goes


class AnOldClientStillWorks(Experiment):
    """`manage.py replay` looks at each answer by last year's contract, and by what the answer said then."""

    slug = "an-old-client-still-works"
    claim = (
        "All 12 recorded calls of last year's client get the answers that were recorded, while the new field "
        "is there and the old one says until when it stays."
    )
    holds = ("kept",)
    refuted = ("changed_in_place",)
    works = Series("calls")
    broken = Series("calls")
    signs = Series("signs", "new field and dates")
    chart = Chart(broken, "calls that break last year's client", x="calls sent", bound=0)
    live = (works,)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        stack.manage("prepare", "--again")  # an earlier run may have been cut off with its booking
        yield clock_starts()
        lines = stack.manage("replay", variant, "--exit-zero").splitlines()
        for sent in range(1, len(lines) + 1):
            works = sum(line.startswith("kept: ") for line in lines[:sent])
            yield self.works(works)
            yield self.broken(sent - works, x=sent)
        answer = expect(ask(url(stack, variant, "flights/1/")), 200)
        signs = ["airline" in told(answer), "deprecation" in answer.headers]
        yield self.signs(sum(signs) + ("sunset" in answer.headers))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        sent = len(samples.of(self.broken))
        words = f"{{measured}} of {sent} recorded calls break last year's client"
        broken = Verdict.at_most(samples.last(self.broken), 0, words)
        words = "{measured} of {bound} recorded calls were sent"
        sent_all = Verdict.exactly(sent, CALLS, words)
        words = "{measured} of {bound}: new field, Deprecation, Sunset"
        return broken.provided(sent_all) & Verdict.at_least(samples.last(self.signs), SIGNS, words)
