"""Who behaves unlike its class: baselines as exponentially weighted moving averages (EWMA).

Roberts, "Control chart tests based on geometric moving averages", Technometrics 1 (1959).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median_low
from typing import NamedTuple, Protocol


class Caller(NamedTuple):
    """A client as a detector knows it: no personal data beyond a truncated network."""

    kind: str  # its class: "key", "user", "address"
    pseudonym: str
    network: str = ""  # of an address: its /24 or /64


@dataclass(frozen=True, slots=True)
class Suspect:
    """A client that was named, and the numbers of one window that it was named for."""

    caller: Caller
    count: int
    baseline: float
    threshold: float


class Detector(Protocol):
    """Judges one window of requests, counted by client."""

    name: str

    def judge(self, counts: Mapping[Caller, int]) -> list[Suspect]: ...


@dataclass(slots=True)
class Baseline:
    """What the clients of a class do in a window; recent windows weigh more."""

    mean: float = 0.0
    variance: float = 0.0
    windows: int = 0

    def learn(self, counts: Sequence[float], weight: float) -> None:
        if not self.windows:
            self.mean = median_low(counts)
        spread = fmean((count - self.mean) ** 2 for count in counts)
        self.mean += weight * (fmean(counts) - self.mean)
        self.variance += weight * (spread - self.variance)
        self.windows += 1


class Ewma:
    """Name a client that is *deviations* above what its class usually does, and does right now.

    A class is compared with itself: eight requests a second are normal for a partner with a key
    and abnormal for an address. When all of a class is busy, nobody is named: that is rush hour.
    A window in which fewer than *population* clients of a class are seen teaches nothing about it,
    or one busy client would pass for the habit of all; those few are compared with the past.
    *minimum* requests are never abnormal.
    """

    name = "ewma"

    def __init__(
        self, *, weight: float = 0.2, deviations: float = 5, minimum: int = 10, population: int = 5
    ) -> None:
        self.weight, self.deviations, self.minimum = weight, deviations, minimum
        self.population = population
        self._baselines: defaultdict[str, Baseline] = defaultdict(Baseline)  # by class

    def judge(self, counts: Mapping[Caller, int]) -> list[Suspect]:
        classes: defaultdict[str, dict[Caller, int]] = defaultdict(dict)
        for caller, count in counts.items():
            classes[caller.kind][caller] = count
        return [suspect for kind in classes for suspect in self._judge(kind, classes[kind])]

    def _judge(self, kind: str, counts: Mapping[Caller, int]) -> Iterator[Suspect]:
        past, busy = self._baselines[kind], counts.values()
        many = len(counts) >= self.population
        if not many and not past.windows:
            return
        # The median: whatever one abuser does, it does not move it.
        normal = max(past.mean, median_low(busy)) if many else past.mean
        # Requests that come independently scatter by the root of their mean: no class is calmer.
        ceiling = normal + self.deviations * sqrt(max(past.variance, normal))
        if many:  # clipped, or an abuser could teach that it is normal
            past.learn([min(count, ceiling) for count in busy], self.weight)
        threshold = max(ceiling, self.minimum)
        for caller, count in counts.items():
            if count >= threshold:
                yield Suspect(caller, count, normal, threshold)


class FixedThreshold:
    """Name whoever exceeds *limit* requests in a window, whatever its class: the naive control."""

    name = "threshold"

    def __init__(self, *, limit: int = 10) -> None:
        self.limit = limit

    def judge(self, counts: Mapping[Caller, int]) -> list[Suspect]:
        return [
            Suspect(caller, count, self.limit, self.limit)
            for caller, count in counts.items()
            if count > self.limit
        ]
