"""A reader's project, made of the page's own lines: copied, started, limited."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1]
SECTION = re.compile(r"^## In your own project\n(.*?)^## ", re.MULTILINE | re.DOTALL)

SETTINGS = """\
ROOT_URLCONF = "reader"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = {secret!r}
REDIS_URL = {url!r}
"""
BEGINS = """\
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.urls import path
"""
ENDS = """
urlpatterns = [path("flights/", flights), path("arrivals/", arrivals)]
"""
ASKS = """
import asyncio, django
django.setup()
from django.core.management import call_command
from django.test import AsyncClient, Client
from limiter.token_bucket import TokenBucket
from reader import LIMITER
call_command("check")
store = LIMITER.refusals.store  # patient: a busy machine may stop it for longer than a decision may take
store.timeout_seconds = 20
store.client.connection_pool.connection_kwargs.update(socket_timeout=20, socket_connect_timeout=20)
take = TokenBucket.take  # the clock stands still: no token comes back however long this takes
TokenBucket.take = lambda self, client, cost=1: take(self, client, cost, now_us=6 * 10**13)
print([Client().get("/flights/", REMOTE_ADDR="198.51.100.7").status_code for _ in range(101)])
print(Client().get("/flights/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="9.9.9.9").status_code)
async def main():
    for _ in range(9):
        headers = {"X-Forwarded-For": "198.51.100.7"}
        print((await AsyncClient().get("/arrivals/", headers=headers)).status_code)
asyncio.run(main())
"""


@pytest.mark.report(
    "PostHog/posthog-python#355",
    "what blocks or asks for the user is called on the event loop",
    "the page's async view decides in a thread; the decorator refuses an async view at import",
)
def test_the_lines_of_the_page_limit_a_view_of_a_new_project(redis_url, tmp_path):
    (section,) = SECTION.findall((EXAMPLE / "README.md").read_text())
    fences = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    settings = SETTINGS.format(secret=uuid.uuid4().hex * 2, url=redis_url)
    shutil.copytree(EXAMPLE / "limiter", tmp_path / "limiter")
    for module in ("limited.py", "identity.py"):
        shutil.copy(EXAMPLE / "flights" / module, tmp_path)
    (tmp_path / "settings.py").write_text(settings)
    (tmp_path / "reader.py").write_text("\n".join([BEGINS, *fences, ENDS]))

    asked = subprocess.run(
        [sys.executable, "-c", ASKS],
        cwd=tmp_path,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    whole = "".join([settings, BEGINS, fences[0], ENDS])
    assert len([line for line in whole.splitlines() if line.strip()]) <= 30
    assert asked.returncode == 0, asked.stderr
    checked, sync, other, *of_async = asked.stdout.splitlines()
    assert checked.startswith("System check identified no issues")
    assert (sync, other) == (f"{[200] * 100 + [429]}", "200")
    assert "429" in of_async
