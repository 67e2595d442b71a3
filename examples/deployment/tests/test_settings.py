"""A release with a mistake in its environment does not start, and says which in one sentence."""

import os
import string
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPLETE = {
    "SECRET_KEY": "k" * 60,
    "DATABASE_URL": os.environ["DATABASE_URL"],
    "PAYMENT_URL": "http://shop:password@127.0.0.1:9/",
    "PAYMENTS": "1",
}


def start(settings="config.settings", shown="SECRET_VALUES", **environment):
    """Import the settings, and answer how that ended."""
    env = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", f"import {settings} as s; print(*s.{shown})"],
        cwd=ROOT,
        env=env | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, (done.stdout or done.stderr).strip()


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "PAYMENT_URL"])
def test_missing_variable_ends_the_start(name):
    missing = {**COMPLETE, name: None}
    empty, blank = {**COMPLETE, name: ""}, {**COMPLETE, name: " \n"}

    words = f"{name} is missing: set {name}_FILE to a file with its value."
    assert start(**missing) == start(**empty) == start(**blank) == (1, words)


def test_hosts_that_are_set_and_empty_are_the_usual_ones():
    usual = start(**COMPLETE, shown="ALLOWED_HOSTS")

    assert start(**COMPLETE, shown="ALLOWED_HOSTS", ALLOWED_HOSTS="") == usual
    _, said = start(**COMPLETE, shown="ALLOWED_HOSTS", ALLOWED_HOSTS="a.example, b.example")
    assert said == "a.example b.example"


@pytest.mark.report(
    "kurrent-io/KurrentDB#2548",
    "a switch is set to 1, only `true` would switch it on, and nothing says so",
    "what is neither 0 nor 1 ends the start",
)
@pytest.mark.parametrize("name", ["PAYMENTS", "DEBUG"])
@pytest.mark.parametrize("said", ["true", '"1"', "1 "])
def test_switch_that_says_another_word_ends_the_start(name, said):
    assert start(**{**COMPLETE, name: said}) == (1, f"{name} has to be 0 or 1.")


def test_release_that_does_not_charge_needs_no_address_for_it():
    status, _ = start(**{**COMPLETE, "PAYMENTS": "0", "PAYMENT_URL": None})

    assert status == 0


@pytest.mark.report(
    "kubernetes/kubernetes#23404",
    "a secret in a variable ends in a line break, and is another one",
    "white space around a secret is no part of it, and neither is a byte order mark in its file",
)
def test_white_space_around_a_secret_is_no_part_of_it(tmp_path):
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbf" + b"f" * 60 + b"\r\n")
    spaced = {**COMPLETE, "PAYMENT_URL": COMPLETE["PAYMENT_URL"] + "\n"}

    _, said = start(**spaced, SECRET_KEY_FILE=str(tmp_path / "key"), shown="SECRET_VALUES[::2]")

    assert said == f"{'f' * 60} {COMPLETE['PAYMENT_URL']}"


def test_secrets_are_read_from_files_rather_than_from_variables(tmp_path):
    file = tmp_path / "key"
    file.write_text("f" * 60 + "\n")

    status, said = start(**COMPLETE, SECRET_KEY_FILE=str(file))

    assert (status, said.split()[0]) == (0, "f" * 60)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"", "is missing: set"),
        (b" \n", "is missing: set"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_file_without_a_secret_ends_the_start(tmp_path, content, words):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    status, said = start(**COMPLETE, SECRET_KEY_FILE=str(file))

    assert status == 1
    assert said.startswith("SECRET_KEY")
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize("url", ["nexus", "mysql://a:b@c/d", "postgres://", "postgres://h:port/n"])
def test_address_that_is_none_ends_the_start_without_showing_it(url):
    status, said = start(**{**COMPLETE, "DATABASE_URL": url})

    assert (status, said) == (
        1,
        "DATABASE_URL is no address like postgres://user:password@host:5432/name.",
    )


@pytest.mark.report(
    "saleor/saleor#7741",
    "a password with `/` in an address, and the traceback shows a part of it as the port",
    "an address that is none ends the start, and is not shown",
)
@pytest.mark.parametrize(
    "url",
    [
        "http://shop:pass/word@127.0.0.1:9/",
        "http://shop:pass#word@127.0.0.1/",
        "http://[::1/",
        "http://127.0.0.1:0/",
        "ftp://127.0.0.1/",
        "127.0.0.1:9",
        "https:///charge",
    ],
)
def test_address_of_the_provider_that_is_none_ends_the_start_without_showing_it(url):
    words = "PAYMENT_URL is no address like https://user:password@host/path."
    assert start(**{**COMPLETE, "PAYMENT_URL": url}) == (1, words)


def test_database_that_is_away_ends_the_start_in_one_sentence():
    away = {
        "SECRET_KEY": string.ascii_letters,
        "DATABASE_URL": "postgres://nexus:nexus@127.0.0.1:9/nexus",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=ROOT,
        env=away,
        capture_output=True,
        text=True,
        timeout=60,
    )

    [said] = done.stderr.splitlines()
    assert (done.returncode, "ready" in done.stdout) == (1, False)
    assert said.startswith("CommandError: DATABASE_URL: ")
    assert '"127.0.0.1", port 9 failed: Connection refused' in said
