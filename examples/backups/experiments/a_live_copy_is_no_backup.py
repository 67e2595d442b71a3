"""Between two folders the copy meets a barrier, at which the server books and makes checkpoints.

The barrier is a file between `base` and `global` with a lease of the kernel on it (fcntl(2), F_SETLEASE): who
opens it waits until the lease is given back. Neither the server nor the ways know of it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import psycopg

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Params,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    until,
)

from . import (
    DISAGREE,
    PATIENCE_SECONDS,
    at_the_keeper,
    begin,
    book,
    connect,
    keep,
    number,
    restored,
)

# The kernel takes a lease away by force after 45 s.
HOLD = """
import fcntl, os, signal, time
signal.signal(signal.SIGIO, lambda *_: (folder / "met").touch())
if os.geteuid() == 0:
    os.seteuid(os.stat({barrier!r}).st_uid)  # who owns a file may lease it; root may not everywhere
barrier = os.open({barrier!r}, os.O_RDONLY)
fcntl.fcntl(barrier, fcntl.F_SETLEASE, fcntl.F_WRLCK)
(folder / "held").touch()
end = time.monotonic() + 40
while not (folder / "go").exists() and time.monotonic() < end:
    time.sleep(0.02)
fcntl.fcntl(barrier, fcntl.F_SETLEASE, fcntl.F_UNLCK)
assert (folder / "go").exists(), "the barrier was given up before the server was done"
"""


class ALiveCopyIsNoBackup(Experiment):
    slug = "a-live-copy-is-no-backup"
    claim = (
        "Two checkpoints fall into the time in which a backup is made, and in the restored server each "
        "balance is what its bookings come to."
    )
    holds = ("received",)
    refuted = ("volume_copy",)
    wrong = Series("accounts whose balance is not what its bookings come to")
    reports = (
        (
            "offen/docker-volume-backup#245",
            "the volume of a running database is copied file by file",
            "the server itself sends the copy, and the log that makes it whole",
        ),
    )
    chart = Chart(wrong, "accounts with a wrong balance", mark="points")

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        folder = begin(stack, variant)
        with connect(stack) as connection:
            book(connection, 1, 2_000)
            connection.execute("CHECKPOINT")
            with ThreadPoolExecutor(1) as pool, barrier(stack, folder) as met_by:
                made = pool.submit(keep, stack, variant)
                met_by(made)
                for first in (2_001, 6_001):
                    book(connection, first, first + 3_999)
                    connection.execute("CHECKPOINT")
                book(connection, 10_001, 10_100)
            if not made.result():
                raise ExperimentError("no backup was made")
            accounts = number(connection, "SELECT count(*) FROM flights_account")
        found = restored(stack, variant, DISAGREE)
        yield self.wrong(found[0][0][0] if found else accounts)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = "{measured} of 100 restored balances are not what their bookings come to"
        return Verdict.at_most(samples.last(self.wrong), 0, words)


@contextmanager
def barrier(stack: Stack, folder: str) -> Iterator[Callable[[Future[bool]], None]]:
    """Lay the barrier, and take it away at the end; what is yielded waits until a backup has met it."""
    with connect(stack) as connection, ThreadPoolExecutor(1) as pool:
        shell(connection, "mkdir -p between && touch between/barrier")
        data = connection.execute("SHOW data_directory").fetchall()[0][0]
        holding = pool.submit(at_the_keeper, stack, HOLD.format(barrier=f"{data}/between/barrier"))

        def seen(name: str, others: Future[Any]) -> None:
            query = f"SELECT count((pg_stat_file('{folder}/{name}', true)).size)"
            if not until(lambda: number(connection, query) or others.done(), PATIENCE_SECONDS):
                raise ExperimentError("the backup did not come to the barrier")
            if others.done():
                others.result()
                raise ExperimentError("the backup was over before it came to the barrier")

        try:
            seen("held", holding)
            yield lambda made: seen("met", made)
        finally:
            shell(connection, f'touch "{folder}/go"')
            wait([holding])
            shell(connection, "rm -r between")
            holding.result()


def shell(connection: psycopg.Connection[Any], command: str) -> None:
    """Have the server run a command, in its data folder."""
    connection.execute(f"COPY (SELECT) TO PROGRAM '{command}'".encode())
