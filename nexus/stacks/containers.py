"""What the engine says of a project's containers; `docker compose ps` takes six times as long, and a core."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
EXITED = re.compile(r"Exited \((\d+)\)")
HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a service.

    Attributes:
        state: `running`, `exited`, `paused`, `created` and so on.
        health: `healthy`, `unhealthy` or `starting`; empty without a healthcheck.
        exit_code: 0 as long as it has not ended.
    """

    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int


def asking(project: str, *, ended: bool) -> list[str]:
    """Return the command whose output `told` reads; with those that have ended, if they are wanted."""
    label = "{{json .ID}}, {{json .Names}}, {{json (.Label %s)}}, {{json .State}}, {{json .Status}}"
    form = f"[{label % json.dumps(SERVICE)}]"
    chosen = ["--filter", f"label={PROJECT}={project}", *(["--all"] if ended else [])]
    return ["docker", "ps", "--no-trunc", *chosen, "--format", form]


def told(output: str) -> Iterator[Container]:
    """Yield the containers of which the engine tells, one a line."""
    for line in output.splitlines():
        number, name, service, state, status = json.loads(line)
        health, exited = HEALTH.search(status), EXITED.match(status)
        yield Container(
            number,
            name,
            service,
            state,
            health[1] if health else "",
            int(exited[1]) if exited else 0,
        )
