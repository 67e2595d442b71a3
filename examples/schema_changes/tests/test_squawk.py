"""Every migration's SQL goes through squawk, which knows what locks; what it says of this one stands here."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from flights.delays import BEGUN

SQUAWK = Path(sys.executable).with_name("squawk")
NOT_ASKED = {
    "prefer-text-field": "types are the models' matter",
    "prefer-bigint-over-smallint": "the same",
    "require-statement-timeout": "a build takes as long as it takes; what others wait is bounded",
    "prefer-robust-stmts": "a build that is cut off is reported, and built again",
    "ban-drop-constraint": "only what the same migration made",
}
ALLOWED = {
    # What the whole way was for: no code that runs knows the column any more.
    ("expand_contract", "0005_contract"): {"ban-drop-column", "ban-drop-function"},
}
NAIVE = {
    ("in_place", "0002_rename"): {"renaming-column", "require-lock-timeout"},
    ("in_place", "0003_remove_cause"): {"ban-drop-column", "require-lock-timeout"},
    ("if_not_exists", "0002_expand"): {"require-lock-timeout"},
}
MIGRATIONS = sorted(
    key for key in MigrationLoader(None).disk_migrations if key[0] in ("flights", *BEGUN)
)


def found(app, name):
    statements = io.StringIO()
    call_command("sqlmigrate", app, name, stdout=statements, no_color=True)
    done = subprocess.run(
        [SQUAWK, "--pg-version", "17", "--reporter", "json", "--exclude", ",".join(NOT_ASKED)],
        input=statements.getvalue(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {each["rule_name"] for each in json.loads(done.stdout)}


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize(("app", "name"), MIGRATIONS, ids=map("-".join, MIGRATIONS))
def test_migration_locks_nobody_out(django_db_blocker, app, name):
    with django_db_blocker.unblock():  # outside of a transaction, where alone an index is built so
        assert found(app, name) == NAIVE.get((app, name), ALLOWED.get((app, name), set()))
