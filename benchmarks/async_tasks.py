"""Measures the jobs of the example beside its peers: asking for tasks that write a row, and having them done.

All on one broker, RabbitMQ or one of the Redis protocol; two worker processes each. The peers take turns, and
the table shows the median of them: a machine that others use, too, is slower in one minute than in the next.
`python benchmarks/async_tasks.py` needs CELERY_BROKER_URL or REDIS_URL, DATABASE_URL, the example on
PYTHONPATH and the packages of async_tasks.txt; `make bench` sees to it.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import django
import psutil
from kombu import Connection
from kombu.exceptions import OperationalError
from outcome import Cell, Measured, versions

if TYPE_CHECKING:
    from async_tasks_peers import Peer

COLUMNS = ("asked by", "asked for, /s", "p99 of that, ms", "done, /s", "worker, MB, 1st to last")
ROUNDS = 3
TASKS = 1_000  # of each peer in each round
MANY = 10_000  # of the solution alone: whether its workers keep memory
DEADLINE_SECONDS = 180


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the jobs beside their peers.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    url = os.environ.get("CELERY_BROKER_URL") or os.environ.get("REDIS_URL", "")
    try:
        server = asked_who_it_is(url)
    except (OperationalError, OSError, KeyError, ValueError) as error:
        print(f"the broker at {url!r} does not answer: {error}", file=sys.stderr)
        return 1
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["CELERY_BROKER_URL"] = url
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    django.setup()
    from async_tasks_peers import PACKAGES

    measured = run()
    measured.show("The jobs beside their peers")
    if output:
        measured.write(output, versions(server, PACKAGES))
    return 0


def asked_who_it_is(url: str) -> dict[str, Any]:
    """Return what the broker says of itself, as Redis would: its name and version."""
    with Connection(url, connect_timeout=2) as broker:
        channel: Any = broker.default_channel
        if broker.transport.driver_type != "amqp":
            return dict(channel.client.info("server"))
        properties = broker.connection.server_properties
        return {
            "server_name": properties["product"].lower(),
            f"{properties['product'].lower()}_version": properties["version"],
        }


def run() -> Measured:
    from async_tasks_peers import PEERS, create_tables
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    create_tables()
    peers = (*PEERS, durable())
    rounds = [[measured(peer, TASKS) for peer in peers] for _ in range(ROUNDS)]
    medians = {
        peer.name: Taken(*(statistics.median(values) for values in zip(*taken, strict=True)))
        for peer, taken in zip(peers, zip(*rounds, strict=True), strict=True)
    }
    grown = measured(durable(), MANY)
    ours = medians["durable"]._replace(first_mb=grown.first_mb, last_mb=grown.last_mb)
    medians["durable"] = ours
    once = medians["Celery, acks_late, once"]
    seen = medians["Celery, the same, states in PostgreSQL"]
    goals = (
        at_least("durable is asked for as often a second as .delay()", ours.asked, once.asked),
        at_least(
            "durable does as many jobs a second as Celery, acks_late, once", ours.done, once.done
        ),
        at_least("as many as the same with its states in PostgreSQL", ours.done, seen.done),
        (
            ours.last_mb <= 1.1 * ours.first_mb,
            f"over {MANY:,} jobs its workers grow by at most a tenth:"
            f" {ours.first_mb:.0f} to {ours.last_mb:.0f} MB",
        ),
    )
    return Measured(COLUMNS, tuple(taken.row(name) for name, taken in medians.items()), goals)


def at_least(goal: str, ours: float, theirs: float) -> tuple[bool, str]:
    return ours >= theirs, f"{goal}: {ours:,.0f} beside {theirs:,.0f}"


class Taken(NamedTuple):
    """What one peer took in one round: tasks a second, milliseconds, megabytes."""

    asked: float
    p99_ms: float
    done: float
    first_mb: float
    last_mb: float

    def row(self, name: str) -> tuple[Cell, ...]:
        memory = f"{self.first_mb:.0f} to {self.last_mb:.0f}"
        return (name, round(self.asked), round(self.p99_ms, 2), round(self.done), memory)


def durable() -> "Peer":
    """Return the solution as a peer: a statement of its own for each short job, its relay and its worker."""
    from async_tasks_effect import effect
    from async_tasks_peers import Peer, counted
    from jobs.models import Job
    from jobs.topology import QUICK

    manage = str(Path(os.environ["PYTHONPATH"].split(os.pathsep)[1]) / "manage.py")
    worker = (
        f"-W ignore -m celery --quiet --app jobs.transport worker --queues {QUICK} -c 2 -O fair"
    )
    return Peer(
        "durable",
        effect.enqueue,
        (tuple(worker.split()),),
        counted("durable"),
        relays=((manage, "relay"),),
        sent=lambda: not Job.objects.filter(sent_at=None, finished_at=None).exists(),
    )


def measured(peer: "Peer", count: int) -> Taken:
    """Ask for *count* tasks while nobody works, then have them done; the start of processes is left out."""
    took = []
    before = peer.done()
    with TemporaryFile() as log, running(peer.relays, log):
        peer.submit()
        # A relay that starts takes as much of the machine as whoever asks.
        until(peer.sent, f"{peer.name}: the first is not sent", log)
        for _ in range(count):
            began = time.perf_counter()
            peer.submit()
            took.append(time.perf_counter() - began)
        with running(peer.workers, log) as processes:
            first = waited(peer, before + count // 10, log)
            memory, began = megabytes(processes), time.perf_counter()
            rest = waited(peer, before + count + 1, log) - first
            done = rest / (time.perf_counter() - began)
            memory_last = megabytes(processes)
    p99_ms = statistics.quantiles(took, n=100)[-1] * 1000
    return Taken(count / sum(took), p99_ms, done, memory, memory_last)


def waited(peer: "Peer", count: int, log: IO[bytes]) -> int:
    """Return how many are done once *count* are."""
    until(lambda: peer.done() >= count, f"{peer.name}: {count} are not done", log)
    return peer.done()


def until(condition: Callable[[], bool], fault: str, log: IO[bytes]) -> None:
    """Wait for the condition; past the deadline, tell the fault and the end of the log."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
            sys.stderr.buffer.write(log.read())
            raise SystemExit(f"{fault} within {DEADLINE_SECONDS} s")
        time.sleep(0.05)


@contextmanager
def running(
    commands: Sequence[Sequence[str]], log: IO[bytes]
) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    processes = [
        subprocess.Popen([sys.executable, *command], stdout=log, stderr=log, start_new_session=True)
        for command in commands
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def megabytes(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Return the resident memory of the largest of all their processes."""
    every = [psutil.Process(each.pid) for each in processes]
    every += [child for each in every for child in each.children(recursive=True)]
    return max(each.memory_info().rss for each in every) / 2**20


if __name__ == "__main__":
    sys.exit(main())
