"""The RabbitMQ on PATH: which version it is, and how a node of its own is told where to live.

RabbitMQ documentation (4.0): environment variables, networking; Erlang/OTP 27 documentation: `erl`, `kernel`.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nexus.stacks.variables import passed_on

LEAST_MAJOR = 4
PROGRAM = "rabbitmq-server"
ABSENT = "it has no embedded server"
# No other node can have it: this one is known to nobody but its stack.
NODE = "nexus@localhost"
NODES = "kept"  # not `nodes`, where older data has the user `guest`


@dataclass(frozen=True)
class Installed:
    """A RabbitMQ of this machine.

    Attributes:
        script: starts a node as whoever calls it.
    """

    script: Path
    version: str


def installed() -> Installed | None:
    """Return what belongs to the `rabbitmq-server` on PATH; None if there is none.

    Linux distributions put a wrapper there, which insists on the user `rabbitmq`; the script itself lies in
    `lib/rabbitmq/bin`. Asking it for the version would start an Erlang machine, so its folder is looked at.
    """
    found = shutil.which(PROGRAM)
    if found is None:
        return None
    program = Path(found).resolve()
    beside = Path(found).parent.parent / "lib" / "rabbitmq" / "bin"
    for script in (program, program.with_name(PROGRAM), beside / PROGRAM):
        if script.exists() and (version := _version(script)):
            return Installed(script, version)
    return Installed(program, "")


def _version(script: Path) -> str:
    """Return the version whose plugin `rabbit` lies in the folder of the script; nothing if there is none."""
    names = (path.name for path in (script.resolve().parent.parent / "plugins").glob("rabbit-*"))
    versions = (re.fullmatch(r"rabbit-(\d+\.[\w.+-]*?)(\.ez)?", name) for name in names)
    return next((match[1] for match in versions if match), "")


def problem(found: Installed | None) -> str:
    """Return in a few words why it is of no use to the embedded stack; nothing if it is."""
    if found is None:
        return ABSENT
    if not found.version:
        return f"the version of {PROGRAM} on PATH cannot be told"
    if int(found.version.split(".")[0]) < LEAST_MAJOR:
        return f"{PROGRAM} on PATH is {found.version}, and {LEAST_MAJOR} is needed"
    return ""


def write_config(data: Path) -> None:
    """Write what a node reads beside its settings, so that nothing of the machine's own RabbitMQ is used."""
    (data / "conf.d").mkdir(parents=True, exist_ok=True)
    (data / "advanced.config").write_text("[].\n", encoding="utf-8")
    (data / "enabled_plugins").write_text("[rabbitmq_management].\n", encoding="utf-8")


def settings(port: int, management_port: int, user: str, password: str) -> str:
    """Return the settings of a node: rabbitmq.conf, which is secret.

    The user is made with the node's data; `guest`, whom everybody knows, is then not.
    """
    return (
        f"listeners.tcp.1 = 127.0.0.1:{port}\n"
        f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {management_port}\n"
        f"default_user = {user}\ndefault_pass = {password}\n"
    )


def environment(data: Path, distribution_port: int) -> Mapping[str, str]:
    """Return the environment of a node that keeps everything in `data`, where `write_config` was.

    Its Erlang machine is told name and port of its distribution at the start: then RabbitMQ asks for no epmd,
    which would be a daemon that outlives the stack.
    """
    return passed_on() | {
        "HOME": str(data),  # of the cookie
        "RABBITMQ_NODENAME": NODE,
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(data / "conf.d"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(data / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(data / NODES),
        "RABBITMQ_LOG_BASE": str(data / "log"),  # of crash dumps
        "RABBITMQ_LOGS": "-",
        # The script becomes the Erlang machine instead of waiting for one.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            f"-noinput -sname {NODE} -start_epmd false -erl_epmd_port {distribution_port} "
            "-kernel inet_dist_use_interface {127,0,0,1}"
        ),
    }
