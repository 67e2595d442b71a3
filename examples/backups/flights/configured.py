"""The places of the ways, as this project's settings describe them."""

from pathlib import Path

from django.conf import settings
from keep.place import Place


def place(variant: str) -> Place:
    """Return where `variant` keeps its backups, and the server that it keeps."""
    return Place(root() / variant, settings.POSTGRES_BIN, settings.SERVER)


def root() -> Path:
    """Return the folder of all backups; its owner is the user that PostgreSQL's programs run as."""
    return Path(settings.POSTGRES_FOLDER)
