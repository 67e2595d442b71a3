"""The one lab of this process: its stacks, its runs, its server."""

import threading
from contextlib import suppress

from nexus import catalog
from nexus.lab.events import EventLog
from nexus.lab.runs import Runs
from nexus.lab.server import Server
from nexus.lab.stacks import Stacks

_lab: "Lab | None" = None


class Lab:
    """Everything behind the pages; closing it leaves no stack running."""

    def __init__(self) -> None:
        global _lab
        self.log = EventLog()
        self.stacks = Stacks(catalog.examples(), self.log)
        self.runs = Runs(self.stacks, self.log)
        self.closing = threading.Event()
        self.server = Server()
        self.url = ""
        _lab = self

    def open(self) -> None:
        """Serve the pages."""
        self.url = self.server.start()

    def address(self, name: str = "") -> str:
        """Where the page of `name` is for who may start and stop things; the home page without one."""
        from django.conf import settings

        return f"{self.url}{name and name + '/'}?key={settings.LAB_KEY}"

    def warm_up(self) -> None:
        """Draw every page once in the background: the first chart and the first source take a second."""
        threading.Thread(target=_draw_pages, name="lab-warm-up", daemon=True).start()

    def close(self) -> None:
        """End streams, runs, stacks and the server, in this order."""
        self.closing.set()
        self.log.close()
        self.runs.close()
        self.stacks.close()
        self.server.stop()


def lab() -> Lab:
    """The lab of this process.

    Raises:
        RuntimeError: none was made.
    """
    if _lab is None:
        raise RuntimeError("no lab is open in this process")
    return _lab


def _draw_pages() -> None:
    from nexus.lab import pages  # needs Django's settings

    for example in catalog.examples():
        # A write-up that cannot be shown says so to whoever opens it.
        with suppress(ValueError):
            found = pages.page(example.name)
            _ = found.blocks, [file.html() for file in found.embedded]
