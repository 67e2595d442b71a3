"""docker-rollout with the drain of its README, as one more way to operate the example: `MINE` names it.

Its hook makes the health check of the old container fail and sleeps for ten seconds, so that the proxy sends
nothing more to it; then the container is stopped. https://github.com/wowu/docker-rollout
"""

import time
from typing import Any

from ways.crew import Crew

DRAIN_SECONDS = 10
OPERATED: dict[str, Any] = {"weights": (100, 100)}


def change(crew: Crew, folder: str) -> None:
    state = crew.state
    new = state.next(folder)
    crew.note(other=new, last=new.number, step="down")
    crew.start(new)
    crew.switch.proxy.route({new.port: 100, state.live.port: 0})
    time.sleep(DRAIN_SECONDS)
    crew.note(live=new, other=state.live)
    crew.stop(state.live)
    crew.note(other=None, step="steady")
