"""What is installed is what the locks say."""

import subprocess
from pathlib import Path

import pytest

from nexus import environment
from nexus.catalog import Example
from nexus.environment import InstallError


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """The installations that were asked for; nothing is installed."""
    found = []

    def run(command):
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)
        else:
            found.append(command)

    monkeypatch.setattr(environment, "STATE", tmp_path / "state")
    monkeypatch.setattr(environment, "_run", run)
    return found


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("toy==1.0")
    return folder


def test_hashes_are_required_of_what_is_installed(commands, folder):
    environment.ensure_environment(Example(folder))

    assert "--require-hashes" in commands[0]


def test_environment_is_made_again_when_its_lock_changes(commands, folder):
    for _ in range(2):
        environment.ensure_environment(Example(folder))
    assert len(commands) == 1

    (folder / "requirements.txt").write_text("toy==1.1")
    environment.ensure_environment(Example(folder))

    assert len(commands) == 2


def test_environment_that_was_moved_is_made_again(commands, folder, monkeypatch, tmp_path):
    environment.ensure_environment(Example(folder))
    (tmp_path / "state").rename(tmp_path / "moved")
    monkeypatch.setattr(environment, "STATE", tmp_path / "moved")
    old = tmp_path / "moved" / "toy" / "venv" / "bin" / "granian"
    old.parent.mkdir()
    old.touch()

    environment.ensure_environment(Example(folder))

    assert len(commands) == 2
    assert not old.exists()


def test_environment_with_what_tests_need_serves_without(commands, folder):
    environment.ensure_environment(Example(folder), dev=True)
    environment.ensure_environment(Example(folder))

    assert len(commands) == 1


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            "error: Failed to download `django==5.2`\n"
            "  cause: I/O operation failed during extraction\n"
            "  cause: failed to write to file `a.po`: No space left on device (os error 28)\n",
            "failed to write to file `a.po`: No space left on device (os error 28)",
        ),
        (
            "error: Failed to fetch: `http://index/toy/`\n"
            "  Caused by: tcp connect error\n  Caused by: Connection refused (os error 111)\n",
            "Connection refused (os error 111) (is the package index reachable?)",
        ),
        ("", "uv does not say why"),
    ],
)
def test_innermost_cause_is_what_an_installation_failed_of(monkeypatch, said, cause):
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(environment.lifetime, "run", lambda *_, **__: failed)

    with pytest.raises(InstallError) as caught:
        environment._run(["uv"])

    assert str(caught.value) == f"Packages could not be installed: {cause}."
    assert caught.value.log == said.strip()
