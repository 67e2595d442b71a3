"""The page's own lines, in another project: a table of its own, its purges, and nothing else of ours."""

import os
import re
import shutil
import socket
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
from layers.redis_layer import RedisLayer
from shop import redis

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
    while waiting() or asked() == "(5,)":  # the local layer hears of it a moment later
        time.sleep(0.01)
    print(asked())
"""
FROZEN = """
import time
from shop import TTL, cache
began = time.monotonic()
assert cache.shared.read("price:1", TTL) is None
print(time.monotonic() - began)
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


@pytest.fixture
def project(tmp_path):
    """The page's project, and a way to run a program in it."""
    shutil.copytree(EXAMPLE / "layers", tmp_path / "layers")
    shop, relay, *_ = fences("python")
    for name, text in (("shop.py", shop), ("relay.py", relay), ("watch.sql", fences("sql")[0])):
        (tmp_path / name).write_text(text, "utf-8")

    def run(program, **env):
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_page_is_enough_for_a_project_of_thirty_lines(project, database):
    done = project(DRIVER, DATABASE_URL=database)

    assert len([line for line in fences("python")[0].splitlines() if line.strip()]) <= 30
    assert done.stdout.split("\n") == ["(5,) (5,)", "(6,)", ""], done.stderr


def test_frozen_redis_holds_a_reader_of_that_project_up_for_a_second(project):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        done = project(FROZEN, REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}")

    assert float(done.stdout) < 6, done.stderr  # `Redis()` instead of `from_url` takes 14
