"""The board of `realtime` as a traveller sees it: in a browser whose network is cut while a gate changes."""

import json
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from nexus import catalog
from nexus.doctor import browser
from nexus.experiment import Request, ask
from nexus.prove import proof_stack
from nexus.stacks.compose import ComposeStack
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import wait_until

FLIGHT, PATIENCE_MS = "AA1141", 60_000


class Network:
    """What lies between a browser and the process `live`, until it is cut."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.there = (parts.hostname, parts.port)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.is_cut = False
        self.turned_away = 0
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self.server.accept()
            except OSError:
                return
            if self.is_cut:
                self.turned_away += 1
                here.close()
                continue
            there = socket.create_connection(self.there)
            self.sockets += [here, there]
            threading.Thread(target=self._carry, args=(here, there), daemon=True).start()

    def _carry(self, here: socket.socket, there: socket.socket) -> None:
        with selectors.DefaultSelector() as ready, here, there:
            ready.register(here, selectors.EVENT_READ, there)
            ready.register(there, selectors.EVENT_READ, here)
            while True:
                for key, _ in ready.select():
                    try:
                        said = key.fileobj.recv(65536)
                        key.data.sendall(said)
                    except OSError:
                        return
                    if not said:
                        return

    @contextmanager
    def cut(self) -> Iterator[None]:
        self.is_cut = True
        for each in self.sockets:
            with suppress(OSError):  # it has gone already
                each.shutdown(socket.SHUT_RDWR)
        yield
        self.is_cut = False


@pytest.fixture
def stack() -> Iterator[EmbeddedStack | ComposeStack]:
    with proof_stack(catalog.example("realtime"), "embedded") as running:
        yield running


def set_gate(stack: EmbeddedStack | ComposeStack, gate: str) -> None:
    headers = {"Authorization": f"Bearer {stack.staff_token}"}
    body = json.dumps({"flight": FLIGHT, "gate": gate}).encode()
    answer = ask(Request(f"{stack.url}/api/boards/rooms/JFK/", headers, "POST", body), None, 60)
    assert answer.status == 200, answer


def test_board_that_was_cut_off_hears_what_it_missed_and_no_state(stack):
    path = browser()
    if path is None:
        pytest.skip("no Chromium or Chrome is installed")
    assert wait_until(lambda: ask(f"{stack.services['live']}/healthz").status == 200, 60)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for number, way in enumerate(("events", "socket")):
            network = Network(stack.services["live"])
            page = opened.new_page()
            page.goto(f"{network.url}/board?over={way}")
            gate = page.locator(f"#{FLIGHT} td").nth(2)
            expect(page.get_by_role("status")).to_have_text("live", timeout=PATIENCE_MS)
            set_gate(stack, f"A{number}")
            expect(gate).to_have_text(f"A{number}", timeout=PATIENCE_MS)
            # A state would make every row anew.
            page.evaluate(
                "document.querySelectorAll('#board tr').forEach(row => row.title = 'old')"
            )

            with network.cut():
                expect(page.get_by_role("status")).to_have_text("cut off", timeout=PATIENCE_MS)
                set_gate(stack, "B1")
                set_gate(stack, f"C{number}")
                assert wait_until(lambda: network.turned_away, 60), "it does not come back"  # noqa: B023
                assert gate.text_content() == f"A{number}"

            expect(gate).to_have_text(f"C{number}", timeout=PATIENCE_MS)
            expect(page.get_by_role("status")).to_have_text("live")
            assert (
                page.locator("#board tr[title=old]").count()
                == page.locator("#board tr").count()
                > 1
            )
            page.close()
            network.server.close()
        opened.close()
