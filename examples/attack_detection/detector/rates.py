"""Who sends unlike its peers: baselines as exponentially weighted moving averages (EWMA).

Roberts, "Control chart tests based on geometric moving averages", Technometrics 1 (1959).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median_low
from typing import NamedTuple

from .sightings import Sighting, Verdict

WINDOW_SECONDS = 2.0
GRACE_SECONDS = 0.5  # for the slowest process to send its share
IN_A_ROW = 3  # windows: people behind one exit come all at once, and then they do not
WEIGHT = 0.2  # of the newest window
DEVIATIONS = 5.0
NEVER_ABNORMAL = 10  # requests in a window
POPULATION = 5  # fewer peers in a window teach nothing
MOST_COUNTED = 2_000  # senders in a window


class Sender(NamedTuple):
    """Who is compared with whom: an account where there is one, else where it comes from."""

    peers: str
    name: str
    client: str


@dataclass(slots=True)
class Baseline:
    """What peers do in a window; recent windows weigh more."""

    mean: float = 0.0
    variance: float = 0.0
    windows: int = 0

    def learn(self, counts: Sequence[float]) -> None:
        if not self.windows:
            self.mean = median_low(counts)
        self.windows += 1
        weight = max(WEIGHT, 1 / self.windows)  # the first windows are all that is known
        spread = fmean((count - self.mean) ** 2 for count in counts)
        self.mean += weight * (fmean(counts) - self.mean)
        self.variance += weight * (spread - self.variance)


class Rates:
    """Names who is far above what its peers usually do, and do right now.

    Eight requests a second are normal for a partner and abnormal for an address. When all peers are busy,
    nobody is named: that is rush hour.
    """

    def __init__(self, people: Callable[[str], int]) -> None:
        self._people = people  # client -> how many are known to share it
        self._baselines: defaultdict[str, Baseline] = defaultdict(Baseline)
        self._windows: dict[int, Counter[Sender]] = {}
        self._suspected: dict[Sender, int] = {}  # windows in a row

    def observe(self, seen: Sighting) -> list[Verdict]:
        """Count one request; return who is named for the windows that are over by then."""
        verdicts: list[Verdict] = []
        while self._windows and seen.seconds >= self._end(first := min(self._windows)):
            verdicts += self._close(first)
        window = int(seen.seconds / WINDOW_SECONDS)
        self._count(window, Sender(seen.peers, seen.account or seen.client, seen.client))
        return verdicts

    @staticmethod
    def _end(window: int) -> float:
        return (window + 1) * WINDOW_SECONDS + GRACE_SECONDS

    def _count(self, window: int, sender: Sender) -> None:
        """Count in bounded memory.

        With too many senders all counts shrink by one (Misra and Gries, 1982): a count is then too small,
        never too large, so that nobody is named for what somebody else did.
        """
        counts = self._windows.get(window)
        if counts is None:
            counts = self._windows[window] = Counter()
        if sender in counts or len(counts) < MOST_COUNTED:
            counts[sender] += 1
        else:
            self._windows[window] = Counter({who: n - 1 for who, n in counts.items() if n > 1})

    def _close(self, window: int) -> Iterator[Verdict]:
        by_peers: defaultdict[str, dict[Sender, int]] = defaultdict(dict)
        for sender, count in self._windows.pop(window).items():
            by_peers[sender.peers][sender] = count
        above = [each for peers, counts in by_peers.items() for each in self._above(peers, counts)]
        before, self._suspected = self._suspected, {}
        for sender, parts in above:
            in_a_row = self._suspected[sender] = before.get(sender, 0) + 1
            if in_a_row == IN_A_ROW:
                yield Verdict(sender.client, "named", f"unlike any other {sender.peers}", parts)

    def _above(
        self, peers: str, counts: Mapping[Sender, int]
    ) -> Iterator[tuple[Sender, dict[str, float]]]:
        past, busy = self._baselines[peers], counts.values()
        many = len(counts) >= POPULATION
        if not many and not past.windows:
            return
        # The median: whatever one abuser does, it does not move it.
        normal = max(past.mean, median_low(busy)) if many else past.mean
        # Requests that come independently scatter by the root of their mean: nobody is calmer.
        ceiling = normal + DEVIATIONS * sqrt(max(past.variance, normal))
        if many:  # clipped, or an abuser could teach that it is normal
            past.learn([min(count, ceiling) for count in busy])
        threshold = max(ceiling, NEVER_ABNORMAL)
        for sender, count in counts.items():
            shared = max(1, self._people(sender.client)) if sender.name == sender.client else 1
            if count / shared >= threshold:
                yield sender, {"requests": count, "normal": round(normal, 1), "people": shared}
