"""Your own way to replace a release. It begins as `start_then_stop`: the old one is stopped at once.

Win `no-request-is-lost` first: who tells the proxy to send nothing more to the old release, and when?
`crew.switch` has a proxy, a gate and all the rest; OPERATED is what else the service is told of this way.
"""

from typing import Any

from ways.crew import Crew

# The proxy begins with these weights: of the live release, and of the other one as soon as it answers.
OPERATED: dict[str, Any] = {"weights": (100, 100)}


def change(crew: Crew, folder: str) -> None:
    state = crew.state
    new = state.next(folder)
    crew.note(other=new, last=new.number, step="down")
    crew.start(new)
    crew.note(live=new, other=state.live)
    crew.stop(state.live)
    crew.note(other=None, step="steady")
