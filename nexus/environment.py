"""Virtual environments of the examples, made from their hashed locks by uv."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uv

from nexus.catalog import ROOT, Example
from nexus.lifetime import end_with_parent

STATE = Path(os.environ.get("NEXUS_STATE", ROOT / ".nexus"))  # the harness's tests set it


class InstallError(RuntimeError):
    """The packages of an example could not be installed."""


def state_dir(example: Example) -> Path:
    """Folder for everything the harness keeps of `example` (git-ignored)."""
    path = STATE / example.name
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path` among the processes of this machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure_environment(example: Example, *, dev: bool = False) -> Path:
    """Install what `example` needs, if its locks changed, and return the environment's `bin` folder.

    Args:
        dev: with what its own tests need; such an environment also serves without.

    Raises:
        InstallError: uv could not install; the message carries its last lines.
    """
    venv = state_dir(example) / "venv"
    locks = [example.path / "requirements.txt", example.path / "requirements-dev.txt"]
    digest = {lock: _digest(lock) for lock in locks}
    wanted = digest[locks[1 if dev else 0]]
    with locked(state_dir(example) / "venv.lock"):
        stamp = venv / "installed"
        installed = stamp.read_text().split() if stamp.exists() else []
        if wanted not in installed:
            _install(venv, locks[1 if dev else 0])
            stamp.write_text("\n".join(digest.values() if dev else [wanted]))
    return venv / "bin"


def ensure_lock(venv: Path, lock: Path) -> Path:
    """Install `lock` into `venv`, if it changed, and return the environment's `bin` folder.

    Raises:
        InstallError: uv could not install; the message carries its last lines.
    """
    with locked(venv.with_suffix(".lock")):
        stamp = venv / "installed"
        if not stamp.exists() or stamp.read_text() != _digest(lock):
            _install(venv, lock)
            stamp.write_text(_digest(lock))
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
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        preexec_fn=end_with_parent,
    )
    if done.returncode:
        reason = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise InstallError(
            f"Packages could not be installed; is the package index reachable?\n{reason}"
        )


def _digest(lock: Path) -> str:
    read = lock.read_bytes() if lock.exists() else b""
    return hashlib.sha256(read + sys.version.encode()).hexdigest()
