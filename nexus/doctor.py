"""`make doctor`: what this machine can run, and the one line that mends what it cannot."""

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 12)
# Machines that the wheels of Valkey and PostgreSQL are built for.
WHEELS = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "x86_64"), ("Darwin", "arm64")}
GIB = 2**30
# Two probes in a row, at most, keep the whole below three seconds.
ENGINE_SECONDS = 0.8
REGISTRY_SECONDS = 2.0


class Status(StrEnum):
    """How a check came out: only MISSING prevents `make run`."""

    OK = "ok"
    LIMITED = "limited"
    MISSING = "missing"


STYLES = {Status.OK: "green", Status.LIMITED: "yellow", Status.MISSING: "bold red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One row: what was found and, unless it is ok, the line that mends it."""

    name: str
    status: Status
    found: str
    fix: str = ""


def checks() -> list[Check]:
    """Make every check at once; each has a deadline, all together take less than three seconds."""
    with ThreadPoolExecutor(max_workers=len(PROBES)) as pool:
        return list(pool.map(lambda probe: probe(), PROBES))


def main() -> int:
    """Print the checks and return the exit code: 1 if the embedded stack cannot run here."""
    made = checks()
    table = Table(box=None, pad_edge=False)
    for column in ("check", "", "found", "what mends it"):
        table.add_column(column, overflow="fold")
    for check in made:
        status = f"[{STYLES[check.status]}]{check.status}[/]"
        table.add_row(check.name, status, check.found, check.fix)
    console = Console(highlight=False)
    console.print(table)
    worst = [status for status in Status if any(check.status == status for check in made)][-1]
    console.print("\n" + SENTENCES[worst])
    return 1 if worst == Status.MISSING else 0


SENTENCES = {
    Status.OK: "Everything works here: `make run` and `make up`, on both stacks.",
    Status.LIMITED: "`make run` works here; the rows marked limited say what does not, or differs.",
    Status.MISSING: "`make run` cannot work here before the rows marked missing are mended.",
}


def _python() -> Check:
    found = platform.python_version()
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Check("Python", Status.OK, found)
    fix = "install Python 3.12 or newer, or uv, which brings one; then `make clean`"
    return Check("Python", Status.MISSING, found, fix)


def _machine() -> Check:
    system, kind = platform.system(), platform.machine()
    found = f"{system} {kind}"
    if (system, kind) not in WHEELS:
        fix = "use Linux or macOS on x86-64 or ARM64 (Windows: WSL 2)"
        return Check("machine", Status.MISSING, found, fix)
    if system == "Linux" and platform.libc_ver()[0] != "glibc":
        fix = "use a distribution with glibc 2.28 or newer: Debian 10, RHEL 8 or later"
        return Check("machine", Status.MISSING, f"{found}, not glibc", fix)
    return Check("machine", Status.OK, found)


def _disk() -> Check:
    free = shutil.disk_usage(ROOT).free / GIB
    found = f"{free:.1f} GiB free"
    if free < 1:
        return Check(
            "disk", Status.MISSING, found, "free 1 GiB: packages of the harness and examples"
        )
    if free < 4:
        return Check("disk", Status.LIMITED, found, "free 4 GiB before `make up`: container images")
    return Check("disk", Status.OK, found)


def _memory() -> Check:
    free = psutil.virtual_memory().available / GIB
    found = f"{free:.1f} GiB available"
    if free < 0.5:
        return Check("memory", Status.MISSING, found, "free 0.5 GiB: an example takes up to 350 MB")
    if free < 1.5:
        return Check(
            "memory", Status.LIMITED, found, "free 1.5 GiB before `make up` or `make test`"
        )
    return Check("memory", Status.OK, found)


def _uv() -> Check:
    for place in (str(Path(sys.executable).with_name("uv")), "uv"):
        code, output = _answer([place, "--version"], ENGINE_SECONDS)
        if code == 0:
            return Check("uv", Status.OK, output.split()[1] if " " in output else output)
    return Check("uv", Status.MISSING, "not found", "`make clean`, then any command installs it")


def _engine() -> Check:
    code, output = _answer(
        ["docker", "version", "--format", "{{.Server.Version}}"], REGISTRY_SECONDS
    )
    if code == 0 and output:
        return Check("Docker engine", Status.OK, output)
    if shutil.which("docker") is None:
        fix = "install Docker (https://docs.docker.com/engine/install/)"
        return Check("Docker engine", Status.LIMITED, "Docker is not installed", fix)
    if "permission denied" in output.lower():
        fix = "`sudo usermod -aG docker $USER`, then log in again"
        return Check("Docker engine", Status.LIMITED, "not open to this user", fix)
    fix = "start Docker Desktop" if sys.platform == "darwin" else "`sudo systemctl start docker`"
    return Check("Docker engine", Status.LIMITED, "does not answer", fix)


def _compose() -> Check:
    code, output = _answer(["docker", "compose", "version", "--short"], REGISTRY_SECONDS)
    if code == 0 and output.lstrip("v").startswith("1."):
        return Check("Docker Compose", Status.LIMITED, output, "install Compose 2 or newer")
    if code == 0 and output:
        return Check("Docker Compose", Status.OK, output)
    fix = "install Docker's compose plugin (https://docs.docker.com/compose/install/)"
    return Check("Docker Compose", Status.LIMITED, "not found", fix)


def _registry() -> Check:
    name = "container images"
    code, _ = _answer(["docker", "manifest", "inspect", "redis:8"], REGISTRY_SECONDS)
    if code == 0:
        return Check(name, Status.OK, "the registry answers")
    # An image of a registry and a stand-in serve alike; compose/airgap/build wrote down the latter.
    images = _stand_ins()
    code, _ = _answer(["docker", "image", "inspect", *(images or ["redis:8"])], ENGINE_SECONDS)
    if code == 0 and images:
        return Check(name, Status.OK, f"no registry; {len(images)} stand-ins are built")
    if code == 0:
        return Check(name, Status.OK, "no registry, but redis:8 is here")
    fix = "`compose/airgap/build` makes stand-ins from Debian packages"
    return Check(name, Status.LIMITED, "no registry answers, no stand-ins", fix)


def _stand_ins() -> list[str]:
    listed = ROOT / ".nexus" / "images.env"
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    return [line.partition("=")[2] for line in lines if "=" in line]


def _port(port: int, user: str) -> Check:
    with socket.socket() as probe:
        # A port left by a server a moment ago counts as free, as it does for servers.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            fix = f"nothing: {user} takes the next free port, and prints it"
            return Check(f"port {port}", Status.LIMITED, "taken", fix)
    return Check(f"port {port}", Status.OK, "free")


def _browser() -> Check:
    found = browser()
    if found:
        return Check("browser", Status.OK, Path(found).name)
    fix = "install Chromium or Chrome; only the tests of the lab's pages need it"
    return Check("browser", Status.LIMITED, "not found", fix)


def browser() -> str | None:
    """Return the path of a Chromium-like browser, or None; `BROWSER_PATH` names one elsewhere."""
    candidates = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    installed = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)
    if named := os.environ.get("BROWSER_PATH"):
        return shutil.which(named)
    on_path = (shutil.which(name) for name in candidates)
    return next(filter(None, on_path), next(filter(os.path.exists, installed), None))


PROBES: Sequence[Callable[[], Check]] = (
    _python,
    _machine,
    _disk,
    _memory,
    _uv,
    _engine,
    _compose,
    _registry,
    _browser,
    lambda: _port(8000, "the lab"),
    lambda: _port(8001, "an example"),
    lambda: _port(6379, "Redis"),
)


def _answer(command: Sequence[str], seconds: float) -> tuple[int, str]:
    """Return exit code and output of `command`; code 124 if it takes longer, 127 without it."""
    # A file, not a pipe: a plugin that outlives its parent would hold a pipe open for ever.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            return 127, ""
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            code = 124
        output.seek(0)
        return code, output.read().strip()


if __name__ == "__main__":
    raise SystemExit(main())
