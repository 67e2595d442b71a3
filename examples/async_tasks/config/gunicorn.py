"""The web server: gunicorn keeps the processes, and waitress in each of them the connections.

A thread gets a request only once it has arrived whole, so that a slow client holds none up. gunicorn's own
threads (27.0.1) wait for the rest of a head, and then for the client to close.
"""

import logging
import os
import time
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any

from gunicorn.workers.base import Worker
from waitress.server import create_server


class Buffered(Worker):  # type: ignore[misc] # neither package publishes types
    """A process that waitress serves in, until it is told to stop."""

    server: Any = None

    def run(self) -> None:
        # A request that waits for a thread is no news.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self.server = create_server(
            self._answer,
            sockets=[bound.sock for bound in self.sockets],
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            connection_limit=self.cfg.worker_connections,
            channel_timeout=self.cfg.keepalive,  # of a client that neither says nor takes anything
            cleanup_interval=2,
            asyncore_use_poll=True,  # select() knows 1,024 files
            max_request_header_size=32 * 1024,
            max_request_body_size=64 * 2**20,  # a list of a million networks has 16 MB
            # The application decides whom to believe about the client; waitress drops names with `_`.
            clear_untrusted_proxy_headers=False,
        )
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._finish()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        # All is UTF-8 (RFC 8259): Django would read the address in what `charset` names, zlib as well.
        parts = environ.get("CONTENT_TYPE", "").split(";")
        kept = [part for part in parts if not part.strip().lower().startswith("charset")]
        environ["CONTENT_TYPE"] = ";".join(kept)
        body = self.wsgi(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body
        # Nobody else leaves it out, and a proxy would take it for the beginning of the next answer.
        if hasattr(body, "close"):
            body.close()
        return ()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        super().handle_exit(sig, frame)
        if self.server:
            self.server.pull_trigger()

    def _turn(self, seconds: float = 0.5) -> None:
        self.notify()
        self.server.asyncore.loop(timeout=seconds, use_poll=True, map=self.server._map, count=1)

    def _finish(self) -> None:
        """Answer what was asked, and what the kernel has connected already: nobody else would."""
        for _ in range(self.cfg.backlog):
            self.server.handle_accept()
        self.server.del_channel()
        self.server.socket.close()
        stopped = time.time()
        while time.time() < stopped + self.cfg.graceful_timeout and self._asked(stopped):
            self._turn(0.05)  # it is over as soon as the last answer is
        self.server.task_dispatcher.shutdown()

    def _asked(self, stopped: float) -> bool:
        just_connected = time.time() < stopped + 0.2
        return any(
            one.requests
            or one.total_outbufs_len
            or (just_connected and one.creation_time > stopped - 1)
            for one in self.server.active_channels.values()
        )


worker_class = Buffered
reuse_port = True  # several servers may share a port
backlog = 1024
# Each connection is a file; some are left for the application.
worker_connections = min(1000, getrlimit(RLIMIT_NOFILE)[0] - 128)
keepalive = 15
graceful_timeout = 8  # Docker kills after 10 s
control_socket_disable = True
loglevel = "warning"
