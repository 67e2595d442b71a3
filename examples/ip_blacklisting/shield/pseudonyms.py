"""Who did what today, without saying who: keyed hashes whose key is thrown away.

A hash without a key is none of these: all addresses of IPv4 are hashed in an hour. EDPB, Guidelines
01/2025 on Pseudonymisation: what can be attributed with additional information stays personal data for
as long as somebody has it.
"""

from hashlib import blake2b

from shield.addresses import Network
from shield.scores import neighbours

BYTES = 10  # 2**80 values: the clients of a day do not collide


def pseudonym(account: Network, key: bytes) -> str:
    """Return what stands for a client while this key is used."""
    data = f"{account.value:x}/{account.length}".encode()
    return blake2b(data, key=key, digest_size=BYTES).hexdigest()


def truncated(account: Network) -> str:
    """Return the network of a client that is told: a /24, or a /48 of IPv6."""
    return str(neighbours(account))
