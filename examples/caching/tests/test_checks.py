"""Mistakes in the settings: one sentence each, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1]


def prepared(**mistake):
    environment = {**os.environ, **mistake}
    return subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=EXAMPLE,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ({"LOCAL_LAYER_BYTES": "16MB"}, "LOCAL_LAYER_BYTES is '16MB', not a whole number"),
        ({"COMPUTATIONS_PER_PROCESS": "0"}, "COMPUTATIONS_PER_PROCESS is '0', not a whole number"),
        ({"REDIS_URL": "localhost"}, "REDIS_URL does not begin with redis://"),
        ({"CDN_PURGE_URL": "varnish:80"}, "CDN_PURGE_URL does not begin with http://"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is no address of a database"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "DATABASE_URL does not answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistake_is_a_sentence(mistake, sentence):
    done = prepared(**mistake)

    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
