"""Ten changes of the route between two releases, while clients ask on connections that they keep."""

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
    clock_starts,
)

from . import Load, Work, begin, none_of, order

CHANGES = 10


class KeptConnectionsAreNotCut(Experiment):
    slug = "kept-connections-are-not-cut"
    claim = "In ten changes of the route no request on a kept connection is cut off."
    holds = ("blue_green",)
    refuted = ("reload",)
    cut = Series("requests", "requests cut off")
    changed = Series("changes of the route")
    chart = Chart(cut, "requests cut off", running_total=True)

    reports = (
        (
            "nginx/nginx#437",
            "a reload closes idle kept connections, and resets what a client is just sending",
            "the route changes by the runtime API: no connection is closed",
        ),
        (
            "caprover/caprover#2490",
            "`ECONNRESET` around each reload, in no log of either side",
            "no reload",
        ),
        (
            "kubernetes/ingress-nginx#489",
            "a rollout loses requests of clients that keep their connections",
            "clients keep theirs, to the proxy, through ten changes",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        begin(stack, variant)
        yield clock_starts()
        with (
            Load(stack, kept=1.0) as load,
            Work(lambda _: order(stack, "route", str(CHANGES))) as work,
        ):
            for batch in load.during(work):
                yield self.cut(sum(got.failed for got in batch))
        moments = [at for step, at in work.outcomes[0].moments if step == "routed"]
        for place, at in enumerate(moments, 1):
            yield self.changed(place, at=at)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        cut = sum(samples.values(self.cut))
        verdict = none_of(cut, samples.over, "{measured:request} cut off")
        # Of a run that goes on the order has not told yet how often it changed the route.
        if not samples.over:
            return verdict
        changes = Verdict.exactly(
            samples.last(self.changed, 0), CHANGES, "{measured} changes of {bound}"
        )
        return verdict.provided(changes)
