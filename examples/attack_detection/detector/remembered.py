"""A memory with a bound: whoever was seen least recently is forgotten first."""

from collections import OrderedDict
from collections.abc import Callable


class Remembered[T]:
    """Records by name, at most *most* of them, none older than *seconds*."""

    def __init__(self, make: Callable[[], T], most: int, seconds: float) -> None:
        self._make, self._most, self._seconds = make, most, seconds
        self._all: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def find(self, name: str) -> T | None:
        """Return the record of a name, and leave its age as it is."""
        found = self._all.get(name)
        return found and found[1]

    def of(self, name: str, now: float) -> T:
        """Return the record of a name, which is made if there is none."""
        while self._all and abs(now - next(iter(self._all.values()))[0]) > self._seconds:
            self._all.popitem(last=False)
        record = self.find(name)
        if record is None:
            record = self._make()
            if len(self._all) >= self._most:
                self._all.popitem(last=False)
        self._all[name] = now, record
        self._all.move_to_end(name)
        return record
