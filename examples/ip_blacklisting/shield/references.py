"""The number of a ban as an opaque word, which only who has the key can turn back.

A Feistel network of four rounds is a permutation that looks random: Luby and Rackoff, SIAM Journal on
Computing 17 (1988).
"""

from base64 import b32decode, b32encode
from hashlib import blake2b

ROUNDS = range(4)


def reference(number: int, key: bytes) -> str:
    """Return 13 letters and digits for a number below 2**64."""
    left, right = divmod(number, 2**32)
    for turn in ROUNDS:
        left, right = right, left ^ _mix(right, turn, key)
    return b32encode((left << 32 | right).to_bytes(8)).decode().rstrip("=").lower()


def number(reference: str, key: bytes) -> int | None:
    """Return the number of a reference; None for what no `reference` can be."""
    try:
        mixed = int.from_bytes(b32decode(reference.upper() + "===")) if len(reference) == 13 else -1
    except ValueError:
        return None
    if mixed < 0:
        return None
    left, right = divmod(mixed, 2**32)
    for turn in reversed(ROUNDS):
        left, right = right ^ _mix(left, turn, key), left
    return left << 32 | right


def _mix(half: int, turn: int, key: bytes) -> int:
    digest = blake2b(half.to_bytes(4) + bytes([turn]), key=key[:64], digest_size=4).digest()
    return int.from_bytes(digest)
