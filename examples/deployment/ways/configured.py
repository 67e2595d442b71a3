"""The objects that a way works with, made from the settings, and what each process runs."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
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
        Refused: there is no such release, or a line of its file sets no variable.
    """
    file = BASE / "shipped" / f"{folder}.env"
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", error)
        raise Refused(f"release shipped/{folder}.env cannot be read: {said}") from None
    said = [line.partition("=") for line in lines if line.strip() and not line.startswith("#")]
    # What was meant to be a setting, and is none or another, would be so without a word.
    for name, equals, value in said:
        plain = value.isprintable() and value == value.strip(" '\"")
        if not (equals and name.isidentifier() and plain):
            raise Refused(f"release shipped/{folder}.env: {name!r} is no NAME=VALUE without quotes")
    return {name: value for name, _, value in said}


def command(state: State, release: Release) -> Command:
    """What a release runs."""
    # Loaded before the fork: what is missing ends the release, and not one worker after the other.
    words = (
        f"-m gunicorn -c config/gunicorn.py --preload -b 127.0.0.1:{release.port} -w 1 --threads 16"
    )
    given = {**of(state.way).environment, **shipped(release.folder), "RELEASE": str(release.number)}
    program = (sys.executable, *words.split(), "config.wsgi:application")
    return Command(program, {**os.environ, **given}, BASE)


def crew(reached: Callable[[str], None] = lambda _: None) -> Crew:
    """Return what the way that is in use has at hand.

    Raises:
        Refused: the supervisor has not begun.
    """
    journal, orders = Journal(FOLDER, reached), Orders(FOLDER)
    state = journal.read()
    variant, (blue, green) = of(state.way), state.ports
    proxy = HAProxy(FOLDER / "haproxy.sock", "releases", {blue: "blue", green: "green"})
    host = settings.ALLOWED_HOSTS[0].lstrip("*.") or "localhost"
    gate = Gate(SMOKE, [unapplied], host=host) if variant.gated else Gate()
    trial = Trial() if variant.gated else None
    patience = variant.drain_seconds, variant.grace_seconds
    switch = Switch(journal, proxy, orders, gate, trial, *patience)
    return Crew(journal, orders, switch)


def unapplied() -> str:
    """Say which migration the database lacks; nothing if it lacks none.

    Of this program's own code: `manage.py release` is run from the folder of the new release.
    """
    try:
        executor = MigrationExecutor(connection)
    except Error as error:
        return f"the database does not answer: {str(error).splitlines()[0]}"
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"migration {plan[0][0]} is not applied" if plan else ""
