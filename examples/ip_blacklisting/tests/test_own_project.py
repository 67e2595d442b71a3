"""The lines of the write-up are enough for a project of one's own: they are built, and refuse."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

EXAMPLE = Path(__file__).parents[1]
MOST_LINES = 30

# What `django-admin startproject` would write.
SETTINGS = """
SECRET_KEY = "only-here"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = []
MIDDLEWARE = []
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", **{database}}}}}
"""
URLS = """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("hello"))]
"""
TRIED = """
import time
import django
django.setup()
from bans import ledger
from django.test import Client
from shield.addresses import meant

def ask(client):
    header = {"HTTP_X_FORWARDED_FOR": f"198.51.100.9, {client}"}
    return Client().get("/", REMOTE_ADDR="10.0.0.1", **header).status_code

client = Client()
assert ask("203.0.113.7") == 200, ask("203.0.113.7")
ledger.add(meant("203.0.113.7"))
deadline = time.monotonic() + 60
while ask("203.0.113.7") != 403:
    assert time.monotonic() < deadline
    time.sleep(0.05)
assert ask("203.0.113.8") == 200
"""


@pytest.fixture
def database():
    """A schema of its own."""
    given, name = os.environ["DATABASE_URL"], f"own_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
        yield conninfo_to_dict(given) | {"options": f"-c search_path={name}"}
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


def test_lines_of_the_write_up_are_a_project_of_ones_own(tmp_path, database):
    page = (EXAMPLE / "README.md").read_text().partition("### In your own project")[2]
    settings, middleware = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[:2]
    written = [line for line in f"{settings}{middleware}".splitlines() if line.strip()]
    names = {
        "HOST": "host",
        "PORT": "port",
        "NAME": "dbname",
        "USER": "user",
        "PASSWORD": "password",
    }
    django = {key: database[name] for key, name in names.items() if name in database}
    django["OPTIONS"] = {"options": database["options"]}
    settings = settings.replace("redis://127.0.0.1:6379/0", os.environ["REDIS_URL"])
    settings = settings.replace("/var/lib/shield", str(tmp_path / "state"))
    (tmp_path / "settings.py").write_text(SETTINGS.format(database=django) + settings)
    (tmp_path / "urls.py").write_text(URLS)
    (tmp_path / "refuse.py").write_text(middleware)
    for package in ("shield", "bans"):
        shutil.copytree(EXAMPLE / package, tmp_path / package)

    assert len(written) <= MOST_LINES
    for command in (["-m", "django", "migrate", "-v0"], ["-c", TRIED]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env={"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not done.returncode, done.stderr
