"""Where buckets are: something that runs the script on some keys, atomically."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

SCRIPT = Path(__file__).with_name("token_bucket.lua").read_text()

type Args = tuple[int | str, ...]


class StoreFailure(Exception):
    """The store gave no answer that can be trusted: gone, slow, read-only, full or loading."""


class Store(Protocol):
    """Run the script in one round trip; raise StoreFailure, and nothing else, without an answer."""

    def run(self, keys: Sequence[str], args: Args) -> list[int]:
        """Return the script's reply."""

    async def arun(self, keys: Sequence[str], args: Args) -> list[int]:
        """Return the script's reply without blocking the event loop."""

    def delete(self, keys: Sequence[str]) -> int:
        """Delete the keys and return how many there were."""
