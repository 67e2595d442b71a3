"""Who is refused: exceptions first, then bans, then feeds; no query and no round trip."""

from .addresses import Address
from .run import Run
from .table import Table


class Matcher:
    """The lists of one process; one thread writes, all others read without a lock."""

    def __init__(self) -> None:
        self.exceptions = Table()
        self.bans = Table()
        self.feeds = Run.of(())  # all of them in one; replaced, never changed

    def __len__(self) -> int:
        return len(self.exceptions) + len(self.bans) + self.feeds.networks

    def refuses(self, address: Address, now: float) -> bool:
        """Tell whether the address is refused at *now*, in seconds since 1970.

        An exception wins over every ban and feed, however narrow those are.
        """
        if address in self.feeds or self.bans.contains(address, now):
            return not self.exceptions.contains(address, now)
        return False
