"""Who did what today, without saying who: keyed hashes whose key is thrown away.

A hash without a key is none of these: all addresses of IPv4 are hashed in an hour. EDPB, Guidelines
01/2025 on Pseudonymisation: what can be attributed with additional information stays personal data for
as long as somebody has it.
"""

from hashlib import blake2b

BYTES = 10  # 2**80 values: the clients of a day do not collide


def pseudonym(who: str, key: bytes) -> str:
    """Return what stands for a client or an account while this key is used."""
    return blake2b(who.encode(errors="replace"), key=key[:64], digest_size=BYTES).hexdigest()
