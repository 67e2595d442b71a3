"""The programs of the way that is in force: started, started again when they end, and stopped with it."""

import signal
import subprocess
import time
from pathlib import Path

from .configured import place
from .keeping import note, read
from .variants import BY_NAME

PAUSE_SECONDS = 0.5  # before a program that has ended is started again


class Supervised:
    """Whose programs run is noted only once nobody else's do."""

    def __init__(self) -> None:
        self.name = ""
        self.running: dict[tuple[object, ...], subprocess.Popen[bytes]] = {}
        self.pause_until = 0.0
        note("running", "")

    def look(self) -> None:
        """Do what is due now."""
        wanted = read("wanted") or ""
        if wanted != self.name:
            self.stop()
            self.name = wanted
            note("running", wanted)
        if not wanted or time.monotonic() < self.pause_until:
            return
        kept = place(wanted)
        for command in BY_NAME[wanted].way.processes(kept):
            old = self.running.get(command)
            if old is None or old.poll() is not None:
                log = Path(f"{kept.folder}.log")
                self.running[command] = kept.start(log, *command)
                self.pause_until = time.monotonic() + PAUSE_SECONDS

    def stop(self) -> None:
        """End them; what they have received is on the disk."""
        for process in self.running.values():
            process.send_signal(signal.SIGINT)  # at SIGTERM a server would wait for its clients
        for process in self.running.values():
            process.wait()
        self.running.clear()
