"""Ports for releases: that nobody has, and that nobody is given."""

import random
import socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could have the port for itself; servers that share it do not count as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(*but: int) -> tuple[int, int]:
    """Return two besides `but` that no system gives to outgoing connections."""
    some = random.sample(range(15_000, 32_000), 200)
    first, second, *_ = (port for port in some if port not in but and is_free(port))
    return first, second
