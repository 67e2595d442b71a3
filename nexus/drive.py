"""Drives one experiment with one variant, and ends it once it is refuted for good."""

import time
from collections.abc import Iterator
from contextlib import closing

from nexus.experiment import Experiment, ExperimentError, Params, Samples, Stack, Undecided, Verdict
from nexus.samples import Sample, stamped

JUDGE_SECONDS = 0.2
# Of one core: what judging may take from a measurement on the same machine.
JUDGE_SHARE = 0.05
AFTERMATH_SECONDS = 0.5  # in which a chart shows that it goes on as it began


def drive(
    experiment: Experiment, stack: Stack, variant: str, params: Params, samples: Samples
) -> Iterator[Sample]:
    """Yield each sample once it is in `samples`; those are over when the run has ended by itself.

    A run that is refuted for good, by twice its bound, is closed half a second later.

    Raises:
        ValueError: a sample is of a series that is not declared.
    """
    samples.over = False
    refuted_at: float | None = None
    look_at = 0.0
    with closing(experiment.run(stack, variant, params)) as run:  # type: ignore[type-var]  # a generator
        for sample in stamped(run, experiment.series()):
            samples.append(sample)
            yield sample
            now = time.monotonic()
            if refuted_at is None and now >= look_at:
                began = time.thread_time()
                verdict = judged(experiment, samples, params)
                if verdict and verdict.final and verdict.thick:
                    refuted_at = now
                look_at = now + max(JUDGE_SECONDS, (time.thread_time() - began) / JUDGE_SHARE)
            if refuted_at is not None and now >= refuted_at + AFTERMATH_SECONDS:
                break
        else:
            samples.over = True


def judged(experiment: Experiment, samples: Samples, params: Params) -> Verdict | None:
    """Return the verdict on what is seen of a run that goes on; None while nobody can tell.

    A claim that more samples may yet fulfil is not refuted.
    """
    try:
        verdict = experiment.judge(samples, params)
    except Undecided:
        return None
    return verdict if verdict.holds or verdict.final else None


def concluded(experiment: Experiment, samples: Samples, params: Params) -> Verdict:
    """Return the verdict on a run that is over.

    Raises:
        ExperimentError: the judge cannot tell even now.
    """
    try:
        return experiment.judge(samples, params)
    except Undecided as error:
        raise ExperimentError(f"{experiment.slug} cannot be judged: {error}.") from error
