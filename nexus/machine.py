"""This machine in a few words: what every recorded figure is told with."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """Where figures were measured. Names no host."""

    cpu: str
    cores: int
    memory_gib: float
    system: str

    def __str__(self) -> str:
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.cpu} ({cores}, {self.memory_gib:g} GiB, {self.system})"


def this_machine() -> Machine:
    """Describe this machine, with the limits of the container it may be in."""
    system = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}"
    return Machine(_cpu(), _cores(), _memory_gib(), system)


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    # Those this process may use: fewer than the machine's in most containers.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gib() -> float:
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            limits.append(int((Path("/sys/fs/cgroup") / name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return round(min(limits) / 2**30, 1)
