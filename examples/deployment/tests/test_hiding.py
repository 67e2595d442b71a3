"""Secrets are hidden by value, however a report writes them."""

import html
import json
import logging
import sys
import time
from base64 import b64encode
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import RequestFactory
from django.utils.log import AdminEmailHandler
from flights.hiding import STARS, Filter, Reporter, hidden
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

PASSWORD = "p/a'ss\\w&o@r\"d"
URL = f"postgres://nexus:{quote(PASSWORD, safe='')}@db.example.org/nexus"


@pytest.fixture(autouse=True)
def _planted(settings):
    settings.SECRET_VALUES = [URL, "a secret key"]


@pytest.mark.parametrize(
    "text",
    [
        URL,
        PASSWORD,
        quote(PASSWORD),
        quote(PASSWORD, safe="").lower(),
        html.escape(PASSWORD),
        html.escape(repr(PASSWORD)),
        json.dumps({"password": PASSWORD}),
        repr(repr({"password": PASSWORD})),
        make_conninfo(password=PASSWORD),
        html.escape(repr(make_conninfo(host="db", password=PASSWORD))),
        b64encode(f"nexus:{PASSWORD}".encode()).decode(),
        "x-a secret key-x",
    ],
)
def test_every_way_of_writing_a_secret_is_hidden(text):
    shown = hidden(text)

    assert STARS in shown
    assert "ss" not in shown.replace("password", "")
    assert "a secret key" not in shown


@given(st.text("ab'\"\\&%/@:é<> ", min_size=4, max_size=12), st.integers(0, 3))
def test_no_password_survives_any_depth_of_quoting(password, depth):
    from django.conf import settings

    settings.SECRET_VALUES = [password]
    text = password
    for _ in range(depth):
        text = repr(f"<{text}>")

    assert password not in hidden(html.escape(text)).replace(STARS, "")


def test_many_backslashes_take_no_more_than_their_number(settings):
    settings.SECRET_VALUES = ["/a secret"]
    began = time.thread_time()

    shown = hidden("\\" * 100_000 + "x" + "\\" * 100_000 + "/a secret")

    assert shown == "\\" * 100_000 + "x" + STARS
    assert time.thread_time() - began < 5  # it was the square of their number: a minute


def test_what_is_no_secret_is_left():
    assert hidden("connection to db.example.org failed") == "connection to db.example.org failed"


def test_service_without_secrets_hides_nothing(settings):
    settings.SECRET_VALUES = []

    assert hidden("all of it") == "all of it"


def test_secret_too_short_to_be_looked_for_is_left(settings):
    settings.SECRET_VALUES = ["abc", "postgres://u:abc@host/name"]

    assert hidden("abc") == "abc"


def raised():
    # Django cuts a variable after 4,096 characters: here in the middle of the password.
    cut = "x" * (4090 - len("postgres://nexus:")) + URL + "x" * 200
    try:
        raise ValueError(f"cannot reach {URL}", len(cut))
    except ValueError:
        return sys.exc_info()


def test_report_shows_no_secret_in_text_or_page_or_where_it_is_cut(rf: RequestFactory):
    reporter = Reporter(rf.get("/"), *raised())

    text, page = reporter.get_traceback_text(), reporter.get_traceback_html()

    for report in (text, page):
        assert "cannot reach" in report
        assert STARS in report
        assert "p%2F" not in report
    assert "trimmed" in page


def test_error_mail_shows_no_secret_in_its_subject_and_text(settings):
    settings.ADMINS = ["operator@example.org"]
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    handler = AdminEmailHandler(reporter_class="flights.hiding.Reporter")
    handler.addFilter(Filter())
    record = logging.LogRecord("n", logging.ERROR, __file__, 1, "lost %s", (URL,), raised())
    handler.handle(record)

    [letter] = mail.outbox
    assert letter.subject == f"[Django] ERROR: lost {STARS}"
    assert "ValueError" in letter.body
    assert quote(PASSWORD, safe="") not in letter.body


@pytest.mark.report(
    "aio-libs-abandoned/aioredis-py#399",
    "a library writes the address it connects to, password included, into the log",
    "the line is written with stars, its message and its traceback",
)
def test_line_of_the_log_shows_no_secret_in_its_traceback():
    record = logging.LogRecord("n", logging.ERROR, __file__, 1, "lost", (), raised())

    Filter().filter(record)
    line = logging.Formatter().format(record)

    assert "Traceback" in line
    assert f"cannot reach {STARS}" in line.replace("('", "")
