"""A few departures of each of three airports that have a hundred thousand: pages of 8 kB read."""

from collections.abc import Iterator

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict

from . import costed, paged

SHOWN = (1, 5, 20)  # of each airport
AIRPORTS = 3
MOST = 50


class APageReadsWhatItShows(Experiment):
    slug = "a-page-reads-what-it-shows"
    claim = (
        "Pages of 1, 5 and 20 departures of each of 3 airports, which have 336,776 in all, read at most "
        "50 buffers each, and show the first of each airport."
    )
    holds = ("priced",)
    refuted = ("optimizer",)
    reports = (
        (
            "strawberry-graphql/strawberry-django#563",
            "the page of a nested list is forgotten, and all rows are loaded",
            "the database reads as many as are shown",
        ),
    )
    buffers = Series("buffers of one request")
    wrong = Series("pages with other rows than the first")
    chart = Chart(buffers, "buffers read", x="rows shown of each", mark="points", bound=MOST)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        pattern = paged(stack, variant)
        wrong = 0
        for shown in SHOWN:
            lists = f"departures({pattern % shown}){{id number}}"
            told = costed(stack, variant, f"{{airports({pattern % AIRPORTS}){{code {lists}}}}}")
            wrong += sum(
                len(each["departures"]) != shown or self._key(each["departures"][0]) > AIRPORTS
                for each in told.data["airports"]
            )
            yield self.wrong(wrong, x=shown)
            yield self.buffers(told.buffers, x=shown)

    def _key(self, flight: dict[str, str]) -> int:
        """Return the number of a flight, `Flight:3` or `3`; the first three are one of each airport."""
        return int(flight["id"].rpartition(":")[2])

    def judge(self, samples: Samples, params: Params) -> Verdict:
        most = max(samples.values(self.buffers), default=0)
        read = Verdict.at_most(most, MOST, "{measured} buffers for a page, {bound} are allowed")
        return read & Verdict.at_most(
            samples.last(self.wrong), 0, "{measured} pages have other rows"
        )
