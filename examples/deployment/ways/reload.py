"""Start the new release, let nginx read its configuration again, stop the old one."""

from .crew import Crew


def change(crew: Crew, folder: str) -> None:
    state = crew.state
    new = state.next(folder)
    crew.note(other=new, last=new.number, step="down")
    crew.start(new)
    route(crew, new.port)
    crew.note(live=new, other=state.live)
    crew.stop(state.live)
    crew.note(other=None, step="steady")


def route(crew: Crew, port: int) -> None:
    """Send requests to `port`: nginx starts new workers, and the old ones close their connections."""
    crew.point(port)
    crew.reload_nginx()
