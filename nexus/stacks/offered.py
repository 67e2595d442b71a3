"""Which services the embedded stack of this machine starts: from wheels, and from its PATH."""

import shutil
from collections.abc import Callable, Mapping
from functools import cache

from nexus.catalog import Example
from nexus.experiment import Experiment
from nexus.stacks import rabbitmq
from nexus.stacks.proxies import CONFIGURATIONS, haproxy_service, nginx_service
from nexus.stacks.rabbitmq import ABSENT
from nexus.stacks.services import (
    Service,
    Site,
    postgres_service,
    rabbitmq_service,
    redis_service,
    varnish_service,
)

type Make = Callable[[Site], Service]

STORES: Mapping[str, Make] = {"redis": redis_service, "postgres": postgres_service}
PROXIES: Mapping[str, Make] = {"haproxy": haproxy_service, "nginx": nginx_service}
# Services that have no wheel: the example needs their program on PATH, or `make up`.
ON_PATH: Mapping[str, Make] = {"rabbitmq": rabbitmq_service, "varnish": varnish_service}


@cache
def missing() -> Mapping[str, str]:
    """Return the services that the embedded stack of this machine lacks, each with the reason."""
    problems = {
        "rabbitmq": rabbitmq.problem(rabbitmq.installed()),
        "varnish": "" if shutil.which("varnishd") else ABSENT,
    }
    return {name: why for name, why in problems.items() if why}


def embedded() -> Mapping[str, Make]:
    """Return the services that the embedded stack of this machine starts, and how."""
    on_path = {name: make for name, make in ON_PATH.items() if name not in missing()}
    return {**STORES, **PROXIES, **on_path}


def startable(example: Example, *, stores_only: bool) -> list[str]:
    """Return which services of its compose.yml the embedded stack starts for an example.

    One behind a profile stands in for one that is missing.

    Args:
        stores_only: leave out what not every machine has, and what needs a web process.
    """
    declared: Mapping[str, Mapping[str, object]] = example.compose["services"]
    there = {
        name: make
        for name, make in (STORES if stores_only else embedded()).items()
        if name not in PROXIES or (example.path / CONFIGURATIONS[name]).exists()
    }
    lacking = any(name in ON_PATH and name not in there for name in declared)
    return [
        name
        for name, service in declared.items()
        if name in there and (lacking or "profiles" not in service)
    ]


def unprovable(experiment: type[Experiment], kind: str) -> str:
    """Return why a stack of this kind cannot prove the claim on this machine; nothing if it can."""
    lacking = [name for name in experiment.needs if name not in embedded()]
    if kind == "compose" or not lacking:
        return ""
    reasons = {missing().get(name, ABSENT) for name in lacking} - {ABSENT}
    why = f" ({'; '.join(sorted(reasons))})" if reasons else ""
    return (
        f"{experiment.slug} needs {' and '.join(lacking)}, which the embedded stack does not have here{why}; "
        "STACK=compose proves it."
    )
