"""Puts away whatever this checkout left: processes, containers, volumes, files."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from nexus.environment import STATE
from nexus.stacks import outside, ports
from nexus.stacks.containers import PROJECT
from nexus.stacks.processes import has_ended, wait_until
from nexus.stacks.state import owner, project_prefix

OWNED = ("*", "*/bench", "*/proofs/*")  # folders in .nexus that a stack may run in
GRACE_SECONDS = 20  # more than a stack gives its processes, and then its services
FOLDER_LABEL = "com.docker.compose.project.working_dir"
LISTINGS = {
    "container": "ps --all",
    "network": "network ls",
    "volume": "volume ls",
    "image": "images",
}


def clean_all() -> Iterator[str]:
    """Yield a line for each thing that was removed."""
    for pattern in OWNED:
        for lock in sorted(STATE.glob(f"{pattern}/stack.lock")):
            yield from _stop_owner(lock.parent)
    yield from _containers()
    for folder in (STATE, Path(sys.prefix)):
        outside.remove_below(folder)
    ports.forget_unused()
    if STATE.exists():
        shutil.rmtree(STATE)
        yield "removed .nexus"


def _stop_owner(folder: Path) -> Iterator[str]:
    process = owner(folder)
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):  # it may end by itself, too
        family = [process, *process.children(recursive=True)]
        process.terminate()
        if not wait_until(lambda: has_ended(process), GRACE_SECONDS):
            process.kill()
        # Nothing may write any more into what is removed next.
        wait_until(lambda: all(map(has_ended, family)), GRACE_SECONDS)
    yield f"stopped {folder.relative_to(STATE)}"


def _containers() -> Iterator[str]:
    if shutil.which("docker") is None:
        return
    for project in sorted(_own_projects() | _abandoned_projects()):
        left = False
        for kind, remove in (
            ("container", ["rm", "--force", "--volumes"]),
            ("network", ["network", "rm"]),
            ("volume", ["volume", "rm", "--force"]),
            ("image", ["rmi"]),
        ):
            found = _belonging(kind, project)
            if found:
                left = True
                subprocess.run(
                    ["docker", *remove, *found], capture_output=True, check=False, timeout=120
                )
        if left:
            yield f"removed the containers, networks, volumes and images of {project}"


def _own_projects() -> set[str]:
    label = f'{{{{.Label "{PROJECT}"}}}}'
    found = {
        name
        for kind in ("container", "network", "volume")
        for name in _docker(LISTINGS[kind], "--format", label)
    }
    # Images carry no label before Compose 2.30: their name begins with the project's.
    found |= set(_docker(LISTINGS["image"], "--format", "{{.Repository}}"))
    return {name for name in found if name.startswith(project_prefix())}


def _abandoned_projects() -> set[str]:
    """Projects of other checkouts whose folder is gone.

    A network, a volume or an image without a container says nothing of its folder: it stays.
    """
    if not _sees_the_same_files():
        return set()
    label = f'{{{{.Label "{PROJECT}"}}}}:{{{{.Label "{FOLDER_LABEL}"}}}}'
    found = [line.split(":", 1) for line in _docker(LISTINGS["container"], "--format", label)]
    return {
        name
        for name, folder in found
        if name.startswith("nexus-") and folder and not Path(folder).parent.exists()
    }


def _sees_the_same_files() -> bool:
    # An engine elsewhere, or around the container that this runs in, has folders that are not seen from here.
    return _docker("info", "--format", "{{.Name}}") == [platform.node()]


def _belonging(kind: str, project: str) -> list[str]:
    if kind == "image":
        # By name: of another checkout the same image may bear another one.
        return _docker(LISTINGS[kind], "--format", "{{.Repository}}:{{.Tag}}", f"{project}*")
    return _docker(LISTINGS[kind], "--quiet", "--filter", f"label={PROJECT}={project}")


def _docker(listing: str, *args: str) -> list[str]:
    command = ["docker", *listing.split(), *args]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted(set(done.stdout.splitlines())) if done.returncode == 0 else []
