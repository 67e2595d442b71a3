"""What an operator does by hand: show, peek, reset, issue a key, find a client."""

import pytest
from django.core.management import CommandError, call_command
from edge import api_keys, callers, configured
from limiter.connection import RedisStore

pytest_plugins = ["tests.edge"]
pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture
def limits(capsys):
    def run(*arguments):
        call_command("limits", *arguments)
        return capsys.readouterr().out.splitlines()

    return run


def test_unknown_rule_set_is_answered_with_the_known_ones(limits, address):
    with pytest.raises(CommandError, match="there is no rule set 'x'; there are airports, strict"):
        limits("peek", "x", "address", address)


def test_silent_redis_is_one_sentence(limits, address, monkeypatch):
    gone = RedisStore("redis://127.0.0.1:1/0")
    monkeypatch.setattr(configured, "store", lambda: gone)

    with pytest.raises(CommandError, match="Redis does not answer"):
        limits("peek", "airports", "address", address)


def test_show_prints_every_policy(limits):
    lines = limits("show")

    assert len(lines) == 10
    assert lines[0].split()[:3] == ["airports", "airports:", "burst"]


def test_peek_tells_what_is_left_and_charges_nothing(limits, site, address):
    site.airport("token_bucket", "bulk", address=address)

    for _ in range(2):
        (line,) = limits("peek", "bulk", "address", address)
        assert line.startswith("bulk: 4999 of 5000 left, full in 0.")


def test_reset_refills_the_client(limits, site, address):
    for _ in range(4):
        last = site.airport("token_bucket", "steady", address=address)

    assert last.status_code == 429
    assert limits("reset", "steady", "address", address) == ["buckets reset: 1"]
    assert site.airport("token_bucket", "steady", address=address).status_code == 200


def test_keys_are_issued_one_a_line(limits):
    keys = limits("key", "north", "south")

    assert [api_keys.owner(key) for key in keys] == ["north", "south"]


def test_pseudonym_is_the_one_of_the_events(limits, site, address):
    site.airport("token_bucket", address=address)

    (pseudonym,) = limits("pseudonym", "address", address)

    assert site.watches["ewma"].seen[0].pseudonym == pseudonym
    assert address.rstrip(":") not in pseudonym


def test_pseudonym_of_a_key_is_not_that_of_a_user(limits):
    assert limits("pseudonym", "key", "7") != limits("pseudonym", "user", "7")
    assert callers.caller(callers.named("key", "7")).network == ""
