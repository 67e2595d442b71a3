"""Forge access tokens out of a good one: RFC 8725's list, and that of jwt_tool 2.2.7.

Its text is run where the service runs, for most forgeries are signed with the right key: `forge` prints a
JSON object of a name and a token each. What would be the good token again is left out.
"""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

NONE = ("None", "NONE", "nOnE")
ZEROS = bytes.fromhex("3006020100020100")  # r and s of ECDSA are 0 (CVE-2022-21449)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def forge(good: str) -> dict[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from flights import configured

    signing = configured.key_file().keys().signing
    head, body, signature = good.split(".")
    header, claims = json.loads(unb64(head)), json.loads(unb64(body))
    public = signing.private.public_key()
    foreign = Ed25519PrivateKey.generate()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def token(header: dict[str, Any], claims: dict[str, Any], key: Any = signing) -> str:
        said = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
        if isinstance(key, str):
            return f"{said}.{key}"
        if isinstance(key, Ed25519PrivateKey) and header["alg"] == "EdDSA":
            return f"{said}.{b64(key.sign(said.encode()))}"
        if key is signing and header["alg"] == "EdDSA":
            return f"{said}.{b64(signing.private.sign(said.encode()))}"
        secret = signing.seed.encode() if key is signing else key
        secret = secret.private_bytes_raw() if isinstance(secret, Ed25519PrivateKey) else secret
        return f"{said}.{b64(hmac.new(secret, said.encode(), hashlib.sha256).digest())}"

    def named(**changes: Any) -> dict[str, Any]:
        return {**header, **changes}

    def said(*without: str, **changes: Any) -> dict[str, Any]:
        return {k: v for k, v in {**claims, **changes}.items() if k not in without}

    now = int(time.time())
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(foreign.public_key().public_bytes_raw())}
    another = said(sub="2", user_id=2)
    hs = {"alg": "HS256"}
    subject = {"sub", "user_id"} & claims.keys()
    forged = {
        "no algorithm": token(named(alg="none"), claims, ""),
        **{f"no algorithm, as {name}": token(named(alg=name), claims, "") for name in NONE},
        "no signature": f"{head}.{body}.",
        "half a signature": f"{head}.{body}.{signature[: len(signature) // 2]}",
        "a signature of zeros": token(named(alg="ES256"), claims, b64(ZEROS)),
        "an empty secret": token(named(**hs), claims, b""),
        "a secret that is guessed": token(named(**hs), claims, b"secret"),
        "the signature of another token": token(header, another, signature),
        "another user, the signature kept": f"{head}.{b64(json.dumps(another).encode())}.{signature}",
        "a foreign key": token(header, claims, foreign),
        "a foreign key in the header": token(named(jwk=jwk), claims, foreign),
        "an address of keys": token(named(jku="https://keys.example/"), claims, foreign),
        "an address of certificates": token(named(x5u="https://keys.example/"), claims, foreign),
        "a certificate in the header": token(named(x5c=[b64(b"none")]), claims, foreign),
        "no key id": token(named(**hs, kid=""), claims, b""),
        "a key id that is a command": token(named(**hs, kid="|sleep 10"), claims, b""),
        "a key id that is a path": token(named(**hs, kid="../../../dev/null"), claims, b""),
        "a key id that is SQL": token(named(**hs, kid="' UNION SELECT 'k"), claims, b"k"),
        "the public key as a secret": token(named(**hs), claims, pem),
        "an unknown extension": token(named(crit=["unknown"], unknown=1), claims),
        "an unencoded payload": token(named(crit=["b64"], b64=False), claims),
        "over": token(header, said(exp=now - 3600)),
        "never over": token(header, said("exp")),
        "over at a text": token(header, said(exp="9999999999")),
        "not yet good": token(header, said(nbf=now + 3600)),
        "made in the future": token(header, said(iat=now + 3600)),
        "for another service": token(header, said(aud="another")),
        "for nobody": token(header, said("aud")),
        "of another issuer": token(header, said(iss="https://another.example")),
        "of nobody": token(header, said("iss")),
        "of no subject": token(header, said(*subject)),
        "of a subject that is true": token(header, said(**dict.fromkeys(subject, True))),
        "another kind": token(named(typ="JWT"), claims),
        "no kind": token({k: v for k, v in header.items() if k != "typ"}, claims),
        "a refresh token": token(named(typ="rt+jwt"), said(kind="refresh")),
        "an identity token": token(named(typ="JWT"), said(aud="flights", nonce="once")),
    }
    again = token(header, claims)
    return {name: each for name, each in forged.items() if each != again}
