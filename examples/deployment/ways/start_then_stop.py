"""Start the new release, then stop the old one at once: the proxy finds out by its own checks.

What docker-rollout (github.com/wowu/docker-rollout) does without its `pre-stop-hook`.
"""

from .crew import Crew


def change(crew: Crew, folder: str) -> None:
    state = crew.state
    new = state.next(folder)
    crew.note(other=new, last=new.number, step="down")
    crew.start(new)
    crew.note(live=new, other=state.live)
    crew.stop(state.live)
    crew.note(other=None, step="steady")
