"""The lines of the write-up watch a Django project that has nothing else of this example."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent
PROJECT = """
from django.conf import settings

settings.configure(
    SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "watched.watched"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader",
            {"registration/login.html": "wrong"})]}}],
)
import django
django.setup()
from django.contrib.auth.views import LoginView
from django.urls import path
from django.http import HttpResponse
urlpatterns = [path("login/", LoginView.as_view()), path("", lambda request: HttpResponse("home"))]

from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_user("ada", password="right")
from django.test import Client

def statuses(address, *asked):
    client = Client(headers={"X-Forwarded-For": address}, REMOTE_ADDR="10.0.0.1")
    for path, data in asked:
        yield client.post(path, data).status_code if data else client.get(path).status_code

wrong, right = ({"username": "ada", "password": word} for word in ("wrong", "right"))
person = [*[("/login/", wrong)] * 9, ("/login/", right), *[("/login/", wrong)] * 9, ("/", None)]
print(*statuses("192.0.2.1", *person))
print(*statuses("198.51.100.1", *[("/login/", {"username": f"u{n}", "password": "x"}) for n in range(12)]))
print(*statuses("203.0.113.1", *[(f"/{n}", None) for n in range(22)], ("/", None)))
"""


def test_lines_of_the_write_up_watch_another_project(tmp_path):
    text = (HERE / "README.md").read_text()
    (code,) = re.findall(r"^```python\n(import threading.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 30
    (tmp_path / "watched.py").write_text(code)
    (tmp_path / "project.py").write_text(PROJECT)
    shutil.copytree(HERE / "detector", tmp_path / "detector")

    done = subprocess.run(
        [sys.executable, "project.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
        timeout=60,
    )

    person, guesser, scanner = done.stdout.splitlines() or [done.stderr] * 3
    assert person == "200 " * 9 + "302 " + "200 " * 9 + "200", done.stderr
    assert guesser == "200 " * 11 + "403"
    assert scanner == "404 " * 21 + "403 403"
