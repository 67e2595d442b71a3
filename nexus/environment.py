"""Virtual environments of the examples, made from their hashed locks by uv."""

import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uv

from nexus import lifetime, private
from nexus.catalog import ROOT, Example

UNREACHABLE = ("connect", "dns", "resolve", "timed out", "http", "network")
STATE = Path(os.environ.get("NEXUS_STATE", ROOT / ".nexus"))  # the harness's tests set it


class InstallError(RuntimeError):
    """The packages of an example could not be installed; `log` holds what the installer said."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


def state_dir(example: Example) -> Path:
    """Folder for everything the harness keeps of `example` (git-ignored)."""
    return private.make_folder(STATE / example.name)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path` among the processes of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure_environment(example: Example, *, dev: bool = False) -> Path:
    """Install what `example` needs, if its locks changed, and return the environment's `bin` folder.

    Args:
        dev: with what its own tests need; such an environment also serves without.

    Raises:
        InstallError: uv could not install.
    """
    plain, full = (example.path / f"requirements{kind}.txt" for kind in ("", "-dev"))
    if dev:
        return ensure_lock(state_dir(example) / "venv", full, serves_for=(plain,))
    return ensure_lock(state_dir(example) / "venv", plain)


def ensure_lock(venv: Path, lock: Path, serves_for: tuple[Path, ...] = ()) -> Path:
    """Install `lock` into `venv`, unless it is there, and return the environment's `bin` folder.

    Args:
        serves_for: locks that `lock` includes.

    Raises:
        InstallError: uv could not install.
    """
    digest = {each: _digest(each) for each in (lock, *serves_for)}
    with locked(venv.with_suffix(".lock")):
        stamp = venv / "installed"
        # Its programs name the folder that they were installed in: a checkout may have been moved.
        place, *installed = (
            stamp.read_text(encoding="utf-8").splitlines() if stamp.exists() else [""]
        )
        if place != str(venv):
            shutil.rmtree(venv, ignore_errors=True)
            installed = []
        if digest[lock] not in installed:
            _install(venv, lock)
            stamp.write_text("\n".join([str(venv), *digest.values()]), encoding="utf-8")
    return venv / "bin"


def _install(venv: Path, lock: Path) -> None:
    tool = uv.find_uv_bin()
    if not (venv / "bin" / "python").exists():
        shutil.rmtree(venv, ignore_errors=True)
        _run([tool, "venv", "--quiet", "--python", sys.executable, str(venv)])
    interpreter = str(venv / "bin" / "python")
    sync = [tool, "pip", "sync", "--quiet", "--require-hashes", "--python", interpreter]
    _run([*sync, str(lock)])


def _run(command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["UV_PYTHON_DOWNLOADS"] = "never"  # the one that runs the harness is there
    done = lifetime.run(command, env=environment)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise InstallError(
            f"Packages could not be installed: {_cause(said)}.", "\n".join(said[-8:])
        )


def _cause(said: list[str]) -> str:
    """Return the innermost cause of what uv complains about: it writes that one last, without a hint."""
    told = [line for line in said if line.strip() and not line.startswith(("hint:", "help:"))]
    last = re.sub(
        r"(?i)^\W*((caused by|cause|error): )?", "", (told or ["uv does not say why"])[-1]
    )
    cause = last.rstrip(".")
    if any(word in cause.lower() for word in UNREACHABLE):
        cause += " (is the package index reachable?)"
    return cause


def _digest(lock: Path) -> str:
    read = lock.read_bytes() if lock.exists() else b""
    return hashlib.sha256(read + sys.version.encode()).hexdigest()
