"""The solution: the new release is gated, tried out and switched to; the old one is drained, then stopped."""

from .crew import Crew


def change(crew: Crew, folder: str) -> None:
    crew.switch.replace(folder)


def route(crew: Crew, port: int) -> None:
    """Send requests to `port` by the proxy's runtime API."""
    crew.switch.proxy.route({each: 100 * (each == port) for each in crew.state.ports})
