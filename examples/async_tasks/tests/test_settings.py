"""What a release says of its settings."""

from django.core.management import call_command
from jobs.configured import policy
from jobs.run import Policy

MINE = "k9wQ2vT7xR4bN8mJ3cF6hL1pD5sG0yZa-of-a-production-that-nobody-reads"


def test_policy_is_what_the_settings_say_and_else_the_default(settings):
    settings.JOBS_POLICY = {"lease_seconds": 30}

    assert policy.__wrapped__().lease_seconds == 30
    assert policy.__wrapped__().most_attempts == Policy().most_attempts == 8


def test_check_of_a_production_is_clean(settings, capsys):
    settings.SECRET_KEY = MINE
    settings.DEBUG = False

    call_command("check", deploy=True, fail_level="WARNING")

    assert "no issues" in "".join(capsys.readouterr())
