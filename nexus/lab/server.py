"""Serves the lab on the loopback interface, from a thread of the harness."""

import os
import socket
import threading

import django
import uvicorn
from django.core.asgi import get_asgi_application

from nexus.stacks.ports import Ports
from nexus.stacks.processes import wait_until

LAB_PORT = int(os.environ.get("NEXUS_LAB_PORT", "8000"))
START_SECONDS = 15


class Server:
    """The pages at http://127.0.0.1:8000/, or at the next free port."""

    def __init__(self) -> None:
        self._ports = Ports()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Bind, serve in the background and return the address.

        Raises:
            OSError: no port can be had.
        """
        os.environ["DJANGO_SETTINGS_MODULE"] = "nexus.lab.settings"
        django.setup()
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", self._ports.take(LAB_PORT)))
        bound.listen(128)
        config = uvicorn.Config(
            get_asgi_application(),
            lifespan="off",
            ws="none",
            # Of a request for a WebSocket it would warn with advice on what to install.
            log_level="error",
            workers=1,  # said, or it would be read from the WEB_CONCURRENCY that is meant for examples
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([bound],), name="lab-server", daemon=True
        )
        self._thread.start()
        started = self._server
        wait_until(lambda: started.started, START_SECONDS)
        return f"http://127.0.0.1:{bound.getsockname()[1]}/"

    def stop(self) -> None:
        """Finish what is being answered, for at most a second, and stop."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(5)
        self._ports.give_back()
