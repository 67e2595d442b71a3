"""The solution: the new release is gated, tried out and switched to; the old one is drained, then stopped."""

from .crew import Crew


def change(crew: Crew, folder: str) -> None:
    crew.switch.replace(folder)
