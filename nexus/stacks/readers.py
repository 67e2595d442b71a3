"""Which processes of an example read the reader's own variant: when it is saved, only they are replaced."""

from collections.abc import Mapping
from pathlib import Path

from nexus.mine import NAME, VARIABLE, importing
from nexus.stacks.variables import PROCESS

MODULE = "read_mine"  # what processes import for the file, beside it
# Noted before the file is read: a process without a note has certainly not read an older one.
NOTES = f"""
import importlib, os, pathlib, sys
pathlib.Path(__file__).with_name(os.environ.get("{PROCESS}", "other") + ".reads").touch()
sys.modules[__name__] = importlib.import_module("{NAME}")
"""


def prepare(folder: Path) -> None:
    """Have processes that import from `folder` note that they do."""
    folder.mkdir(parents=True, exist_ok=True)
    module = folder / f"{MODULE}.py"
    if not module.exists():
        module.write_text(NOTES, encoding="utf-8")


def noting(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What tells a process to add the variant in `folder`; nothing while there is none."""
    if not (folder / f"{NAME}.py").exists():
        return {}
    return {**importing(folder, environment), VARIABLE: MODULE}


def may_be_outdated(folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether the process with this environment may have read another file than the one in `folder` now.

    One that was started while there was none would not even read this one.
    """
    return VARIABLE not in environment or (folder / f"{environment[PROCESS]}.reads").exists()
