"""Names that people misspell, in what they ask for and in what they send."""

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

from . import sending, told, url

# As given -> the name that was meant. The last two are sent, not asked for.
MISSPELT = {
    "orgin=JFK": "origin",
    "origin_=JFK": "origin",
    "Origin=JFK": "origin",
    "dest1nation=MIA": "destination",
    "destinations=MIA": "destination",
    "nubmer=1141": "number",
    "days=2013-01-01": "day",
    "pagesize=5": "page_size",
}
SENT = {"bag": "bags", "bagz": "bags"}


class ATypoIsRefused(Experiment):
    slug = "a-typo-is-refused"
    claim = "A misspelt name is refused, the nearest right name is told, and no row is answered."
    holds = ("kept",)
    refuted = ("generated",)
    rows = Series("flights", "flights answered")
    taken = Series("names", "misspelt names taken")
    named = Series("names", "right names told")
    chart = Chart(rows, "flights that a misspelt filter found", x="misspelt names", bound=0)
    reports = (
        (
            "carltongibson/django-filter#1740",
            "a misspelt filter is ignored: the API answers everything, and the client believes it",
            "400 with the nearest name",
        ),
    )

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        yield clock_starts()
        rows = named = taken = 0
        for sent, (query, meant) in enumerate(MISSPELT.items(), 1):
            answer = expect(ask(url(stack, variant, f"flights/?{query}")), 200, 400)
            if answer.status == 200:
                rows, taken = max(rows, told(answer)["count"]), taken + 1
            named += f"{meant}?" in answer.body.decode()
            yield self.rows(rows, x=sent)
        flight = url(stack, variant, "flights/2/")
        tag = expect(ask(flight), 200).headers.get("etag", '"1"')
        for name, meant in SENT.items():
            patch = sending("PATCH", flight, {name: 3}, **{"If-Match": tag})
            answer = expect(ask(patch), 200, 400)
            taken += answer.status == 200
            named += f"{meant}?" in answer.body.decode()
        yield self.taken(taken)
        yield self.named(named)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        samples.wait_for_end()
        words = "{measured} flights answered to a filter that there is not"
        rows = Verdict.at_most(samples.last(self.rows), 0, words)
        sent = len(MISSPELT) + len(SENT)
        words = f"{{measured}} of {sent} misspelt names taken"
        taken = Verdict.at_most(samples.last(self.taken), 0, words)
        words = "{measured} of {bound} right names told"
        return rows & taken & Verdict.at_least(samples.last(self.named), sent, words)
