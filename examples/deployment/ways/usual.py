"""The usual ways: each puts the release in a folder in the place of the live one."""

from dataclasses import replace
from functools import partial

from releases import Journal, Release, State
from releases.journal import STEADY
from supervisor.supervisor import DOWN

from .crew import Crew


def recreate(crew: Crew, folder: str) -> None:
    """Stop the old release, then start the new one: what `docker compose up -d` does."""
    old = crew.note(step=DOWN).live
    crew.stop(old)
    new = replace(crew.state.next(folder), port=old.port)
    crew.start(new)
    crew.note(live=new, last=new.number, step=STEADY)


def start_then_stop(crew: Crew, folder: str, *, pointing: bool = False) -> None:
    """Start the new release, then stop the old one at once: the proxy finds out by its own checks.

    What docker-rollout (github.com/wowu/docker-rollout) does without its `pre-stop-hook`.

    Args:
        pointing: have nginx read its configuration again in between.
    """
    state = crew.state
    new = state.next(folder)
    crew.note(other=new, last=new.number, step=DOWN)
    crew.start(new)
    if pointing:
        crew.point(new.port)
    crew.note(live=new, other=state.live)
    crew.stop(state.live)
    crew.note(other=None, step=STEADY)


# nginx starts new workers, and the old ones close their connections.
reload = partial(start_then_stop, pointing=True)


def rolling_nginx(crew: Crew, folder: str) -> None:
    """Restart two replicas in turn behind nginx, which takes one for dead for 10 s after its first error.

    nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails: 1 error is enough, and the default.
    """
    state = crew.note(step=DOWN)
    new: list[Release] = []
    for old in filter(None, (state.live, state.other)):
        crew.stop(old)
        new.append(replace(old, folder=folder, number=state.last + 1 + len(new)))
        crew.start(new[-1])
    crew.note(live=new[0], other=new[1], last=new[1].number, step=STEADY)


class Unwritten(Journal):
    """Writes down what was done, once all is."""

    def write(self, state: State) -> State:
        if state.step == STEADY:
            return super().write(state)
        self.reached(state.step)
        return state


def script(crew: Crew, folder: str) -> None:
    """Take the steps of the solution in turn, as a shell script does."""
    forgetful = Unwritten(crew.journal.folder, crew.journal.reached)
    replace(crew.switch, journal=forgetful).replace(folder)
