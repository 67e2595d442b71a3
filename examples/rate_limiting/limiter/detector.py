"""Who behaves unlike its class: baselines as exponentially weighted moving averages (EWMA).

Roberts, "Control chart tests based on geometric moving averages", Technometrics 1 (1959).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median
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


class Ewma:
    """Name a client that is *deviations* above what its class usually does in a window.

    A class is compared with itself: eight requests a second are normal for a partner with a key
    and abnormal for an address. *minimum* requests are never abnormal.
    """

    name = "ewma"

    def __init__(self, *, weight: float = 0.2, deviations: float = 5, minimum: int = 10) -> None:
        self.weight, self.deviations, self.minimum = weight, deviations, minimum
        self._baselines: dict[str, tuple[float, float]] = {}  # class -> mean, variance

    def judge(self, counts: Mapping[Caller, int]) -> list[Suspect]:
        classes: defaultdict[str, dict[Caller, int]] = defaultdict(dict)
        for caller, count in counts.items():
            classes[caller.kind][caller] = count
        return [suspect for kind in classes for suspect in self._judge(kind, classes[kind])]

    def _judge(self, kind: str, counts: Mapping[Caller, int]) -> Iterator[Suspect]:
        # The median begins: one abuser in the first window does not move it.
        mean, variance = self._baselines.get(kind) or (float(median(counts.values())), 0.0)
        # Requests that come independently scatter by the root of their mean: no class is calmer.
        ceiling = mean + self.deviations * sqrt(max(variance, mean))
        self._learn(kind, mean, variance, [min(count, ceiling) for count in counts.values()])
        threshold = max(ceiling, self.minimum)
        for caller, count in counts.items():
            if count >= threshold:
                yield Suspect(caller, count, mean, threshold)

    def _learn(self, kind: str, mean: float, variance: float, clipped: Iterable[float]) -> None:
        """Move the baseline; clipped, so that an abuser cannot teach that it is normal."""
        clipped = list(clipped)
        spread = fmean((count - mean) ** 2 for count in clipped)
        self._baselines[kind] = (
            mean + self.weight * (fmean(clipped) - mean),
            variance + self.weight * (spread - variance),
        )


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
