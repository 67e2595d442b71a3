"""A client runs into the limit of a second, and comes back for what is left of its hour."""

from collections.abc import Iterator

from nexus.experiment import (
    Chart,
    Experiment,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    ask,
    clock_starts,
    rest,
    volley,
)

from . import admitted_by_redis, decided_apart, forget, sent_by, some_address, url, warm

AN_HOUR = 30  # of the rule set `tiered`, beside 10 a second
ROUNDS = 2  # with the 10 of the flood, and what comes back meanwhile, enough for all 30
EACH_SECOND = 10


class AllOrNothing(Experiment):
    slug = "all-or-nothing"
    claim = (
        "Of limits of 10 a second and 30 an hour, a request that the first refuses takes nothing "
        "of the second: after a flood of 200, what is left of the 30 gets in."
    )
    holds = ("token_bucket",)
    refuted = ("drf_throttle",)
    reports = (
        (
            "encode/django-rest-framework#6491",
            "five requests in a minute that allows two spend the five of the day",
            "a request that one policy refuses is charged by none",
        ),
    )
    admitted = Series("requests")
    without_redis = Series("decisions", "without Redis")
    chart = Chart(admitted, "requests admitted", x="requests answered", bound=AN_HOUR)
    parameters = (Parameter("flood", 200, 100, 2000, "requests"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        warm([url(stack, variant, "tiered")])
        forget(stack)
        request = Request(url(stack, variant, "tiered"), sent_by(some_address()))
        yield clock_starts()
        got_in = apart = number = 0
        # One connection: what a read-modify-write loses is the subject of another claim.
        flood = volley([request] * int(params["flood"]), processes=1, connections=1)
        for number, answer in enumerate(flood, 1):
            got_in += admitted_by_redis(answer)
            apart += decided_apart(answer)
            if number % EACH_SECOND == 0:
                yield self.admitted(got_in, x=number)
        for _ in range(ROUNDS):
            rest(1)
            answers = [ask(request) for _ in range(EACH_SECOND)]
            got_in += sum(map(admitted_by_redis, answers))
            apart += sum(map(decided_apart, answers))
            number += EACH_SECOND
            yield self.without_redis(apart)
            yield self.admitted(got_in, x=number)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} requests admitted of the {bound} of an hour"
        got_in = samples.last(self.admitted)
        apart = samples.last(self.without_redis)
        # Redis may have charged what it was too late to answer, and a round may go without it.
        if got_in < AN_HOUR - min(apart, EACH_SECOND):
            return Verdict.at_least(got_in, AN_HOUR, words)
        return Verdict.at_most(got_in, AN_HOUR, words)
