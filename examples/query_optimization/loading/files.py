"""The data files: beside this module, as `data/README.md` says, and in the package airportsdata."""

import csv
import lzma
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path

DATA = Path(__file__).with_name("data")
BLOCK_BYTES = 64 * 1024


def blocks(name: str) -> Iterator[bytes]:
    """Yield a file as it is decompressed: at no time is there more than one block of it."""
    with lzma.open(DATA / f"{name}.csv.xz") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def records(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a file."""
    with lzma.open(DATA / f"{name}.csv.xz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def airports_everywhere() -> Iterator[dict[str, str]]:
    """Yield the rows of airportsdata, which is installed and never imported."""
    found = [file for file in files("airportsdata") or () if file.name == "airports.csv"]
    with Path(str(found[0].locate())).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
