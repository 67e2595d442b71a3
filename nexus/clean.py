"""Puts away whatever the harness left: processes, containers, volumes, files."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

from nexus.environment import STATE
from nexus.stacks import outside
from nexus.stacks.state import AlreadyRuns, owned

PROJECT_LABEL = "com.docker.compose.project"
PREFIX = "nexus-"


def clean_all() -> Iterator[str]:
    """Yield a line for each thing that was removed."""
    for folder in sorted(path for path in STATE.glob("*") if path.is_dir()):
        yield from _stop_owner(folder)
    yield from _containers()
    outside.remove_below(STATE)
    if STATE.exists():
        shutil.rmtree(STATE)
        yield "removed .nexus"


def _stop_owner(folder: Path) -> Iterator[str]:
    try:
        with owned(folder):
            return
    except AlreadyRuns as running:
        pid = running.state.get("owner_pid")
    if not pid or not psutil.pid_exists(pid):
        return
    owner = psutil.Process(pid)
    owner.terminate()
    try:
        owner.wait(10)
    except psutil.TimeoutExpired:
        owner.kill()
    yield f"stopped {folder.name}"


def _containers() -> Iterator[str]:
    if shutil.which("docker") is None:
        return
    for project in sorted(_projects()):
        for kind, remove in (
            ("container", ["rm", "--force", "--volumes"]),
            ("network", ["network", "rm"]),
            ("volume", ["volume", "rm", "--force"]),
            ("image", ["rmi", "--force"]),
        ):
            found = _labelled(kind, project)
            if found:
                subprocess.run(
                    ["docker", *remove, *found], capture_output=True, check=False, timeout=120
                )
        yield f"removed the containers, networks, volumes and images of {project}"


def _projects() -> set[str]:
    found = set()
    for kind in ("container", "network", "volume"):
        label = f'{{{{.Label "{PROJECT_LABEL}"}}}}'
        found |= set(_docker(_listing(kind), "--format", label))
    # Images carry no label before Compose 2.30: their name begins with the project's.
    found |= set(_docker("images", "--format", "{{.Repository}}"))
    return {name for name in found if name.startswith(PREFIX) and "/" not in name}


def _labelled(kind: str, project: str) -> list[str]:
    if kind == "image":
        return _docker("images", "--quiet", f"{project}*")
    return _docker(_listing(kind), "--quiet", "--filter", f"label={PROJECT_LABEL}={project}")


def _listing(kind: str) -> str:
    return {
        "container": "ps --all",
        "network": "network ls",
        "volume": "volume ls",
        "image": "images",
    }[kind]


def _docker(listing: str, *args: str) -> list[str]:
    command = ["docker", *listing.split(), *args]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        return []
    return sorted(set(done.stdout.split())) if done.returncode == 0 else []
