"""What a run has seen: series, declared once, and the samples of each."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload


class Undecided(ValueError):
    """What was seen so far is too little to judge by."""


class Unseen(Undecided):
    """Of a series that the judge asks for nothing was seen."""


class Series:
    """One thing that an experiment observes: `admitted = Series("requests")`.

    Args:
        unit: what its values count.
        name: as people read it; the words of the attribute if it is not given.
    """

    def __init__(self, unit: str, name: str = "") -> None:
        self.unit = unit
        self.name = name

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.name = self.name or attribute.replace("_", " ")

    def __call__(
        self, value: float, *, at: float | None = None, x: float | None = None
    ) -> "Sample":
        """Return a sample to be yielded.

        Args:
            at: when it was, as `time.monotonic()` says; now if it is not given.
            x: where the chart draws it, if not at its time.
        """
        return Sample(time.monotonic() if at is None else at, self.name, value, x)

    def __repr__(self) -> str:
        return f"Series({self.unit!r}, {self.name!r})"


@dataclass(frozen=True, slots=True)
class Sample:
    """One observation.

    Attributes:
        seconds: since the experiment's start. As a run yields it, `time.monotonic()`.
        x: its place in a chart whose axis is not time.
    """

    seconds: float
    series: str
    value: float
    x: float | None = None


START = "start"


def clock_starts(at: float | None = None) -> Sample:
    """Return what a run yields when its preparation is over: time counts from here."""
    return Sample(time.monotonic() if at is None else at, START, 0)


class Samples(Sequence[Sample]):
    """The samples of a run in the order in which they came.

    Attributes:
        over: whether the run has ended by itself; else more may come.
    """

    def __init__(self, samples: Iterable[Sample] = (), *, over: bool = True) -> None:
        self.over = over
        self._all: list[Sample] = []
        self._of: defaultdict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            self.append(sample)

    def append(self, sample: Sample) -> None:
        self._all.append(sample)
        self._of[sample.series].append(sample)

    def of(self, series: Series) -> list[Sample]:
        """Return the samples of `series`, empty if there are none."""
        return list(self._of.get(series.name, ()))

    def values(self, series: Series) -> list[float]:
        """Return the values of `series`, empty if there are none."""
        return [each.value for each in self._of.get(series.name, ())]

    def last(self, series: Series, default: float | None = None) -> float:
        """Return the latest value of `series`.

        Raises:
            Unseen: there is none, and no default.
        """
        if seen := self._of.get(series.name):
            return seen[-1].value
        if default is None:
            raise Unseen(f"nothing was seen of {series.name!r}")
        return default

    def wait_for_end(self) -> None:
        """Leave the judgement to the end of the run.

        Raises:
            Undecided: it goes on.
        """
        if not self.over:
            raise Undecided("the run goes on")

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)


def stamped(yielded: Iterable[Sample], declared: Iterable[str]) -> Iterator[Sample]:
    """Yield the samples of a run with their seconds since its clock started.

    Raises:
        ValueError: one is of a series that the experiment does not declare.
    """
    known = set(declared)
    began = time.monotonic()
    for sample in yielded:
        if sample.series == START:
            began = sample.seconds
            continue
        if sample.series not in known:
            raise ValueError(
                f"a sample of {sample.series!r}, which is not declared; "
                f"declared are: {', '.join(sorted(known))}"
            )
        yield replace(sample, seconds=sample.seconds - began)
