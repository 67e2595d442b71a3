"""What the write-ups show on a console is what a reader sees."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from nexus.catalog import Example
from nexus.stacks.embedded import EmbeddedStack

DOCUMENTED = "http://127.0.0.1:8001"


def sessions(example: Example) -> Iterator[tuple[str, list[str]]]:
    """Yield each `$ curl` command of the pages with the lines that shall follow it."""
    pages = "\n".join(example.pages.values())
    for block in re.findall(r"^```console\n(.*?)^```", pages, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.replace("\\\n", " ").splitlines()
            if lines[0].startswith(("curl", "for ", "until ")):
                yield lines[0], lines[1:]


def matches(line: str, expected: str) -> bool:
    """Whether a line is the expected one, in which `…` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, line.strip()) is not None


def test_console_sessions_are_true(example: Example, tmp_path):
    shown = list(sessions(example))
    assert len(shown) >= 3, "the write-up shows fewer than three commands to try"
    with EmbeddedStack(example, tmp_path / "stack").temporarily() as stack:
        for command, expected in shown:
            done = subprocess.run(
                ["bash", "-c", command.replace(DOCUMENTED, stack.url)],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
                env={"PATH": os.environ["PATH"], "STAFF_TOKEN": stack.staff_token},
            )
            lines = done.stdout.replace("\r", "").replace(stack.url, DOCUMENTED).splitlines()
            for each in expected:
                if each.strip() and each.strip() != "…":
                    assert any(matches(line, each.strip()) for line in lines), (
                        f"$ {command}\nshows no line {each!r}, but:\n" + "\n".join(lines)
                    )


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
