"""The memory of this process, as the system counts it (proc_pid_status(5))."""

import re
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

STATUS = Path("/proc/self/status")


def peak_kb() -> int:
    """Return the most memory that this process has had, in kB."""
    if STATUS.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text("ascii"))):
        return int(found[1])
    # On Linux it would begin with the most that the program had which started this one.
    return getrusage(RUSAGE_SELF).ru_maxrss
