"""Which examples a pull request is tested with: `.ci/changed`."""

import json
import subprocess

import pytest

from nexus.catalog import ROOT

EXAMPLES = ("cache", "cache_keys", "limits")


def concerned(*files: str) -> list[str]:
    done = subprocess.run(
        [ROOT / ".ci" / "changed", *(f"examples/{name}/" for name in EXAMPLES)],
        input="".join(f"{file}\n" for file in files),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "file",
    [
        "nexus/load.py",
        "tests/test_load.py",
        "requirements.txt",
        "compose/services.yml",
        "benchmarks/outcome.py",
        "examples/README",
        "everything",
    ],
)
def test_what_is_shared_concerns_all(file):
    assert concerned("examples/limits/a.py", file) == ["cache", "cache_keys", "limits"]


def test_what_belongs_to_an_example_concerns_that_one():
    assert concerned("examples/limits/experiments/a.py", "README.md") == ["limits"]
    assert concerned("results/cache.json", "results/cache_keys/x-dark.svg") == [
        "cache",
        "cache_keys",
    ]
    assert concerned("benchmarks/cache_keys.py") == ["cache_keys"]
    assert concerned("benchmarks/cache_peers.py") == ["cache"]


def test_prose_at_the_top_and_an_example_that_is_gone_concern_none():
    assert concerned("README.md", "CHANGELOG.md", "examples/gone/manage.py") == []
    assert concerned() == []
