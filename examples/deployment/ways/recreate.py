"""Stop the old release, then start the new one: what `docker compose up -d` does.

Clients reach the release directly.
"""

from dataclasses import replace

from .crew import Crew


def change(crew: Crew, folder: str) -> None:
    old = crew.note(step="down").live
    crew.stop(old)
    new = replace(crew.state.next(folder), port=old.port)
    crew.start(new)
    crew.note(live=new, last=new.number, step="steady")
