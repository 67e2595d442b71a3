"""What the local layer takes in the memory of a process, under traffic of far more keys than it holds."""

import random
from multiprocessing import get_context
from pathlib import Path

from layers.local_layer import LocalLayer
from layers.values import Value

BOUND = 16 * 2**20
KEYS = 1_000_000


def used_bytes() -> int:
    """Return how much a fresh process grew by, after reads of KEYS keys through a layer of BOUND bytes."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_grown)


def _grown() -> int:
    layer = LocalLayer(BOUND)
    layer.clear(up=True)
    before, sizes = _resident(), random.Random(1)
    for number in range(KEYS):
        name = f"airport:{number}"
        value = Value(bytes(sizes.randrange(200, 2_000)), (name, f"country:{number % 250}"))
        layer.store(name, value, 600, layer.epoch)
        if layer.bytes > BOUND:
            raise RuntimeError(f"the layer counts {layer.bytes} bytes")
    return _resident() - before


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096
