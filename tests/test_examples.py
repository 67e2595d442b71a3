"""Each example's own tests, in its own environment, against real services."""

import subprocess

import pytest

from nexus.catalog import Example
from nexus.environment import ensure_environment, state_dir
from nexus.stacks.embedded import EmbeddedStack


def test_own_tests_pass(example: Example, tmp_path):
    binaries = ensure_environment(example, dev=True)
    stack = EmbeddedStack(example, tmp_path / "services", services_only=True, dev=True)
    with stack.temporarily() as services:
        done = subprocess.run(
            [str(binaries / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
            cwd=example.path,
            env=services.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    print(done.stdout)
    if done.returncode:
        pytest.fail(f"{example.name}/tests:\n{done.stdout}\n{done.stderr}", pytrace=False)
    assert " skipped" not in done.stdout.splitlines()[-1]


def test_environment_of_a_run_has_no_more_than_the_example_asks_for(example: Example):
    """A package that only the tests install would be missing in production."""
    lock = (example.path / "requirements.txt").read_text()
    dev = (example.path / "requirements-dev.txt").read_text()
    pins = {line.split()[0] for line in lock.splitlines() if "==" in line}

    assert pins <= {line.split()[0] for line in dev.splitlines() if "==" in line}
    assert "pytest==" not in lock


def test_state_folder_lies_outside_the_example(example: Example):
    assert example.path not in state_dir(example).parents
