"""What a release says of its settings."""

from django.core.management import call_command
from jobs.configured import policy
from jobs.run import Policy

MINE = "k9wQ2vT7xR4bN8mJ3cF6hL1pD5sG0yZa-of-a-production-that-nobody-reads"


def test_policy_is_what_the_settings_say_and_else_the_default(settings):
    settings.JOBS_POLICY = {"lease_seconds": 30}

    assert policy.__wrapped__().lease_seconds == 30
    assert policy.__wrapped__().most_attempts == Policy().most_attempts == 8


def said(capsys):
    call_command("check", deploy=True, fail_level="WARNING")
    return "".join(capsys.readouterr())


def test_published_key_is_told_in_one_sentence(settings, capsys):
    settings.SECRET_KEY = "development-only-Rk3vQ8tYw2nB7mZx5cJd9hLs4fGa6pUe1iTo0"
    settings.DEBUG = False

    assert said(capsys).count("SECRET_KEY is the one that compose.yml publishes") == 1


def test_check_of_a_production_is_clean(settings, capsys):
    settings.SECRET_KEY = MINE
    settings.DEBUG = False

    assert "no issues" in said(capsys)
