"""Free ports of this machine: the documented one when nobody has it, else another."""

import socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    # Without SO_REUSEPORT on purpose: a server that shares its port would hide behind a successful bind.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return `preferred`, one of the nine after it, or else any free port."""
    if preferred:
        for port in range(preferred, preferred + 10):
            if is_free(port):
                return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
