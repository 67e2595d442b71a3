"""One request, one status."""

from collections.abc import Iterator

from nexus.experiment import Chart, Experiment, Params, Sample, Samples, Series, Stack, Verdict, ask


class ItAnswers(Experiment):
    slug = "it-answers"
    claim = "It answers with 200."
    holds = ("fast",)
    refuted = ("slow",)
    status = Series("HTTP status")
    chart = Chart(status, "HTTP status", mark="points")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        status = ask(f"{stack.url}/{variant}").status
        yield self.status(status if variant == "fast" else 500)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        status = samples.last(self.status)
        return Verdict.at_most(status, 200, "status {measured}, {bound} expected")
