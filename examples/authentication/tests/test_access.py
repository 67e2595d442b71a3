"""Access tokens without a database: time, kinds, and keys that are not there."""

import dataclasses
import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
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


CLAIMS = Claims(7, str(uuid4()))


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


@pytest.mark.report(
    "hypothesis/h#4000",
    "a signed token with an id that is no UUID is a 500: the database cannot read it",
    "claims have their type before anything is asked for them",
)
@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "x"},
        {"sub": 7},
        {"sid": "bogus"},
        {"sid": 7},
        {"sid": None},
        {"exp": True},
        {"exp": 1e300},
        {"exp": None},
        {"aud": ["here"]},
    ],
)
def test_claims_of_another_type_are_refused(ring, access, changes):
    key = ring.keys.signing
    good = jwt.decode(access.sign(CLAIMS), options={"verify_signature": False})
    header = named(key.kid)

    with pytest.raises(Refused):
        access.read(jwt.encode(good | changes, key.private, ALGORITHM, header))


def spelled(public):
    raw = public.public_bytes_raw()
    x = urlsafe_b64encode(raw).rstrip(b"=")
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    jwk = json.dumps({"kty": "OKP", "crv": "Ed25519", "x": x.decode()}).encode()
    return {"raw": raw, "x of the JWK": x, "PEM": pem, "OpenSSH": ssh, "JWK": jwk}


@pytest.mark.report(
    "jpadilla/pyjwt#1196",
    "an Ed25519 public key in OpenSSH's form is taken as the secret of HS256 (CVE-2022-29217)",
    "the algorithm is fixed, whatever the header says and however the key is spelled",
)
@pytest.mark.parametrize("spelling", ["raw", "x of the JWK", "PEM", "OpenSSH", "JWK"])
def test_a_public_key_is_no_secret_however_it_is_spelled(ring, access, spelling):
    key = ring.keys.signing
    _, body, _ = access.sign(CLAIMS).split(".")
    for name, hashed in (
        ("HS256", hashlib.sha256),
        ("HS384", hashlib.sha384),
        ("HS512", hashlib.sha512),
    ):
        header = json.dumps(named(key.kid) | {"alg": name}).encode()
        said = f"{urlsafe_b64encode(header).decode().rstrip('=')}.{body}"
        secret = spelled(key.private.public_key())[spelling]
        signature = urlsafe_b64encode(hmac.digest(secret, said.encode(), hashed)).decode()

        with pytest.raises(Refused, match="Algorithm"):
            access.read(f"{said}.{signature.rstrip('=')}")
