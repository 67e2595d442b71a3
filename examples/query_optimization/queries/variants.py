"""The ways, by name: the naive ones first, then the solution, without and with hot data in Redis."""

from collections.abc import Mapping
from types import ModuleType

from . import eager, fetch_peers, hot, naive, optimized, or_keyset

VARIANTS: Mapping[str, ModuleType] = {
    "naive": naive,
    "eager": eager,
    "fetch_peers": fetch_peers,
    "or_keyset": or_keyset,
    "optimized": optimized,
    "hot": hot,
}
