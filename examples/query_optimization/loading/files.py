"""The data files: beside this module, as `data/README.md` says, and in the package airportsdata."""

import csv
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from typing import TextIO

DATA = Path(__file__).with_name("data")
NULL = ("", "NA", "\\N")


def _opened(name: str) -> TextIO:
    return lzma.open(DATA / f"{name}.xz", "rt", encoding="utf-8", newline="")


@contextmanager
def flights_csv() -> Iterator[TextIO]:
    """Open the 336,776 flights as text, decompressed as it is read."""
    with _opened("flights.csv") as text:
        yield text


def records(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a small file, null as the empty string."""
    with _opened(name) as file:
        yield from _rows(file)


def airports_everywhere() -> Iterator[dict[str, str]]:
    """Yield the rows of airportsdata, which is installed and never imported."""
    found = [file for file in files("airportsdata") or () if file.name == "airports.csv"]
    with Path(str(found[0].locate())).open(encoding="utf-8", newline="") as file:
        yield from _rows(file)


def _rows(file: TextIO) -> Iterator[dict[str, str]]:
    for row in csv.DictReader(file):
        yield {key: "" if value in NULL else value for key, value in row.items()}
