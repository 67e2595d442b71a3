"""Is work being done? Told from the rows, which nobody can freeze; a process that is there proves nothing.

The relay sends a canary through each queue; a queue on which nothing has begun for a while is silent.
"""

import uuid
from collections.abc import Collection
from typing import Any, Final

from . import sql
from .models import DeadLetter
from .run import Effect, Run

SILENCE_SECONDS: Final = 4.0
RELAY_SECONDS: Final = 5.0
CANARY: Final = "canary"
QUEUE: Final = ("name", "waiting", "oldest_seconds", "alive", "overdue_seconds")


def look(queues: Collection[str]) -> dict[str, Any]:
    """Return the state of each queue (`watch.sql`), and what somebody has to act on (`problems`)."""
    rows = sql.by_index("watch", queues=list(queues), silence=SILENCE_SECONDS)
    found = [dict(zip(QUEUE, row, strict=True)) for row in rows]
    dead = DeadLetter.objects.filter(resolved_at=None).count()
    overdue = max(each["overdue_seconds"] for each in found)
    problems = [
        f"nothing has begun on {each['name']} for {SILENCE_SECONDS:.0f} s"
        for each in found
        if not each["alive"]
    ]
    problems += [f"{dead} dead letters are open"] if dead else []
    problems += [f"nothing has been sent for {overdue:.0f} s"] if overdue > RELAY_SECONDS else []
    return {"queues": found, "dead_letters": dead, "problems": problems}


def sing(_run: Run) -> Effect:
    """Do nothing: that a canary was run is all there is to it."""
    return lambda: None


def send_canary(queue: str) -> None:
    """Send one through *queue*, if none is on its way; known by its id, for keys are what clients choose."""
    sql.rows("canary", id=uuid.uuid5(uuid.NAMESPACE_URL, f"{CANARY}:{queue}"), queue=queue)
