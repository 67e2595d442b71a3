"""The objects that a way works with, made from the settings, and what each process runs."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from releases import Journal, Refused, Release, State, Switch
from releases.gate import Gate
from releases.proxy import HAProxy
from releases.trial import Trial
from supervisor.children import Command
from supervisor.orders import Orders

from .crew import Crew
from .variants import of

BASE = Path(__file__).resolve().parent.parent
FOLDER: Path = settings.STATE_FOLDER
FIRST = "good"  # the release of a service that never ran
SMOKE = tuple(f"/api/airports/{code}/" for code in ("JFK", "EWR", "LGA"))


def shipped(folder: str) -> dict[str, str]:
    """Return the environment that release `folder` adds.

    Raises:
        Refused: there is no such release, or its file is no text.
    """
    file = BASE / "shipped" / f"{folder}.env"
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", error)
        raise Refused(f"release shipped/{folder}.env cannot be read: {said}") from None
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def environment(way: str, folder: str) -> dict[str, str]:
    return {**os.environ, **of(way).environment, **shipped(folder)}


def command(state: State, release: Release) -> Command:
    """What a release runs; where nothing stands in front, clients reach it at the public address."""
    host = settings.HOST if release.port == int(settings.PORT) else "127.0.0.1"
    words = f"-m gunicorn --config config/gunicorn.py --bind {host}:{release.port} --workers 1 --threads 16"
    env = environment(state.way, release.folder) | {"RELEASE": str(release.number)}
    return Command((sys.executable, *words.split(), "config.wsgi:application"), env, BASE)


def crew(way: str = "", reached: Callable[[str], None] = lambda _: None) -> Crew:
    """Return what `way`, or the one that is in use, has at hand.

    Raises:
        Refused: the supervisor has not begun.
    """
    journal, orders = Journal(FOLDER, reached), Orders(FOLDER)
    state = journal.read()
    variant, (blue, green) = of(way or state.way), state.ports
    proxy = HAProxy(FOLDER / "haproxy.sock", "releases", {blue: "blue", green: "green"})
    gate = Gate(
        smoke=SMOKE if variant.gated else (),
        checks=[lambda folder: complete(variant.name, folder)] if variant.gated else [],
    )
    trial = Trial() if variant.gated else None
    patience = variant.drain_seconds, variant.grace_seconds
    switch = Switch(journal, proxy, orders, gate, trial, *patience)
    return Crew(journal, orders, switch, FOLDER / "nginx")


def complete(way: str, folder: str) -> str:
    """Say what a release lacks: a setting, or a migration; nothing if it is complete."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check", "--skip-checks", "--verbosity", "0"],
        cwd=BASE,
        env=environment(way, folder),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    # What is indented explains the line before it.
    said = [line for line in done.stderr.splitlines() if line.strip() and not line[0].isspace()]
    return said[-1].strip().rstrip(".") if said else "a migration of it is not applied"
