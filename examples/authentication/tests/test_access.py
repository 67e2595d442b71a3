"""Access tokens without a database: time, kinds, and keys that are not there."""

import dataclasses
import json
from base64 import urlsafe_b64encode

import jwt
import pytest
from sessions.access import ALGORITHM, KIND, Access, Claims, Refused
from sessions.keys import Keys, new

NOW = 1_800_000_000


class Ring:
    def __init__(self):
        self.keys, self.asked = Keys([new("signing", NOW)]), 0

    def __call__(self):
        self.asked += 1
        return self.keys


@pytest.fixture
def ring():
    return Ring()


@pytest.fixture
def access(ring):
    return Access(ring, "https://here.example", "here")


CLAIMS = Claims(7, "a-session")


def named(kid):
    return {"alg": ALGORITHM, "typ": KIND, "kid": kid}


def test_what_was_signed_is_read(access):
    assert access.read(access.sign(CLAIMS)) == CLAIMS


def test_a_token_is_over_after_its_seconds_and_the_clocks_difference(access):
    old = dataclasses.replace(access, clock=lambda: access.clock() - 306)
    young = dataclasses.replace(access, clock=lambda: access.clock() - 303)

    assert access.read(young.sign(CLAIMS)) == CLAIMS
    with pytest.raises(Refused, match="Expired"):
        access.read(old.sign(CLAIMS))


def test_a_retired_key_opens_nothing(ring, access):
    token = access.sign(CLAIMS)
    ring.keys = ring.keys.publish(NOW).sign(NOW, 0)
    assert access.read(token) == CLAIMS

    ring.keys = ring.keys.retire(NOW, 0)
    with pytest.raises(Refused):
        access.read(token)


@pytest.mark.parametrize("kid", ["unknown", "../../etc/passwd", "", None, [], {}, 1])
def test_a_key_id_is_looked_up_among_the_keys_and_nowhere_else(ring, access, kid):
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode() for part in (named(kid), {})]
    said = ".".join(part.rstrip("=") for part in parts)
    signature = urlsafe_b64encode(ring.keys.signing.private.sign(said.encode())).decode()
    token = f"{said}.{signature.rstrip('=')}"

    with pytest.raises(Refused):
        access.read(token)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.é.é", "=" * 10_000, "x" * 100_000])
def test_what_is_no_token_is_refused(access, text):
    with pytest.raises(Refused):
        access.read(text)


@pytest.mark.parametrize(
    "changes",
    [{"sub": "x"}, {"sub": 7}, {"exp": True}, {"exp": 1e300}, {"exp": None}, {"aud": ["here"]}],
)
def test_claims_of_another_type_are_refused(ring, access, changes):
    key = ring.keys.signing
    good = jwt.decode(access.sign(CLAIMS), options={"verify_signature": False})
    header = named(key.kid)

    with pytest.raises(Refused):
        access.read(jwt.encode(good | changes, key.private, ALGORITHM, header))
