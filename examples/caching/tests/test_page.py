"""The page's own lines, in another project: a table of its own, its purges, and nothing else of ours."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

EXAMPLE = Path(__file__).parents[1]
DRIVER = """
import os, threading, time
import psycopg
from layers.outbox import TABLE, relay
from shop import cache

with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as operator:
    operator.execute("CREATE TABLE shop_item (id bigint PRIMARY KEY, price int)")
    operator.execute(TABLE)
    operator.execute(open("watch.sql").read())
    operator.execute("INSERT INTO shop_item VALUES (1, 5)")
    threading.Thread(target=lambda: exec(open("relay.py").read()), daemon=True).start()
    from django.test import Client
    asked = lambda: Client().get("/price/1/").content.decode()
    waiting = lambda: operator.execute("SELECT count(*) FROM cache_outbox").fetchone()[0]
    while waiting():
        time.sleep(0.01)
    print(asked(), asked())
    operator.execute("UPDATE shop_item SET price = 6")
    while waiting():
        time.sleep(0.01)
    print(asked())
"""


def fences(language: str) -> list[str]:
    page = (EXAMPLE / "README.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.fixture
def database():
    """A database of its own on the same server."""
    url, name = os.environ["DATABASE_URL"], f"shop_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield url.rpartition("/")[0] + f"/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_page_is_enough_for_a_project_of_thirty_lines(tmp_path, database):
    shutil.copytree(EXAMPLE / "layers", tmp_path / "layers")
    project, relay, *_ = fences("python")
    for name, text in (
        ("shop.py", project),
        ("relay.py", relay),
        ("watch.sql", fences("sql")[0]),
        ("driver.py", DRIVER),
    ):
        (tmp_path / name).write_text(text, "utf-8")

    done = subprocess.run(
        [sys.executable, "driver.py"],
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert len([line for line in project.splitlines() if line.strip()]) <= 30
    assert done.stdout.split("\n") == ["(5,) (5,)", "(6,)", ""], done.stderr
