"""The releases of the contract that this project keeps, read once a process."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml
from contract.document import Contract

RELEASES: Final = Path(__file__).with_name("releases")


@cache
def contract(release: str) -> Contract:
    """Return a release by the name of its file."""
    text = (RELEASES / f"{release}.yaml").read_text(encoding="utf-8")
    return Contract(yaml.load(text, yaml.CSafeLoader))
