"""The five ways, by name: the naive ones first, the solution last."""

from collections.abc import Mapping
from types import ModuleType

from . import eager, fetch_peers, naive, optimized, or_keyset

VARIANTS: Mapping[str, ModuleType] = {
    "naive": naive,
    "eager": eager,
    "fetch_peers": fetch_peers,
    "or_keyset": or_keyset,
    "optimized": optimized,
}
