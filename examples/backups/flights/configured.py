"""The places of the ways, as this project's settings describe them."""

from django.conf import settings
from keep.place import Place


def place(variant: str) -> Place:
    """Return where `variant` keeps its backups, and the server that it keeps."""
    return Place(settings.POSTGRES_FOLDER / variant, settings.POSTGRES_BIN, settings.SERVER)
