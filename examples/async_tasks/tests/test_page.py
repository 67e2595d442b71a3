"""The project of a reader, built from the fences of the page alone, does its job."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```python\n# (mysite/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)


@pytest.fixture
def site(tmp_path):
    """The reader's folder: the files that the page shows, and `jobs/` copied into it."""
    files = FENCE.findall((ROOT / "README.md").read_text("utf-8"))
    assert files
    assert sum(len(text.strip().splitlines()) for _, text in files) <= 30
    for name, text in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copytree(ROOT / "jobs", tmp_path / "jobs")
    return tmp_path


@pytest.mark.django_db(transaction=True)
def test_project_of_thirty_lines_does_its_job(site, database_url):
    text = (ROOT / "README.md").read_text("utf-8")
    commands = COMMAND.findall(text[text.index("# mysite/work.py") : text.index("## Proof")])
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    ask, *processes = commands
    started = [start(command, site, environment) for command in processes]
    try:
        asked = start(ask, site, environment)
        assert asked.wait(60) == 0
        wait_for_note(database_url)
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def start(command, site, environment):
    return subprocess.Popen(command, shell=True, cwd=site, env=environment, start_new_session=True)


def wait_for_note(database_url):
    deadline = time.monotonic() + 60
    with psycopg.connect(database_url, autocommit=True) as database:
        query = "SELECT state FROM jobs_job WHERE kind = 'greet'"
        while database.execute(query).fetchall() != [("done",)]:
            assert time.monotonic() < deadline, "not done after 60 s"
            time.sleep(0.05)
