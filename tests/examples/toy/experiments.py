"""One claim that is true of `fast` and untrue of `slow`."""

from collections.abc import Iterator, Sequence

from nexus.experiment import Chart, Experiment, Params, Sample, Stack, Verdict, ask


class Answers(Experiment):
    slug = "it-answers"
    claim = "It answers with 200."
    holds = ("fast",)
    refuted = ("slow",)
    units = {"status": "HTTP status"}
    chart = Chart("status", "HTTP status", mark="points")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        status = ask(f"{stack.url}/{variant}").status
        yield Sample(0, "status", status if variant == "fast" else 500)

    def judge(self, samples: Sequence[Sample], params: Params) -> Verdict:
        status = samples[-1].value
        return Verdict(status == 200, f"status {status:.0f}, 200 expected", status, 200)
