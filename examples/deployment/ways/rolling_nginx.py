"""Restart two replicas in turn behind nginx, which takes one for dead for 10 s after its first error.

nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails: 1 error is enough, and the default.
"""

from dataclasses import replace

from releases import Release

from .crew import Crew


def begin(crew: Crew) -> None:
    """Run the second replica, too."""
    state = crew.state
    second = state.next(state.live.folder)
    crew.note(other=second, last=second.number)
    crew.start(second)
    crew.point(*state.ports)
    crew.reload_nginx()


def change(crew: Crew, folder: str) -> None:
    state = crew.note(step="down")
    assert state.other is not None  # noqa: S101 (there since `begin`)
    first = _restarted(crew, state.live, folder, state.last + 1)
    second = _restarted(crew, state.other, folder, state.last + 2)
    crew.note(live=first, other=second, last=second.number, step="steady")


def _restarted(crew: Crew, old: Release, folder: str, number: int) -> Release:
    crew.stop(old)
    new = replace(old, folder=folder, number=number)
    crew.start(new)
    return new
