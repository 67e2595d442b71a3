"""What is kept a year later leads to nobody."""

import base64
import hashlib
import random
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import psycopg
from redis import Redis

from nexus.experiment import (
    Chart,
    Experiment,
    ExperimentError,
    Parameter,
    Params,
    Request,
    Sample,
    Samples,
    Series,
    Stack,
    Verdict,
    expect,
    until,
    volley,
)

from . import LINES, sent_by, some_address, tries, url

FAILURES = 12  # of each fourth client: it is found, and put on the list


class LogsForget(Experiment):
    """Clients fail to log in, look for what is missing, are refused and let go; then it is a year later."""

    slug = "logs-forget"
    claim = (
        "After retention no table, key or log of a process holds a client's address in any notation, "
        "nor a hash that leads back to it by trying all addresses; no query string was ever kept."
    )
    holds = ("detector",)
    refuted = ("thresholds",)
    reports = (
        (
            "SPUR-Coalition/telemetry#2",
            "the SHA-256 of an address is called anonymous, and there are four billion to try",
            "a keyed hash, whose key is deleted with the last lines of its day",
        ),
    )
    found = Series("addresses found")
    secrets = Series("query strings found")
    clients = Series("clients")
    chart = Chart(found, "addresses found after retention", bound=0)
    parameters = (Parameter("clients", 40, 5, 500, "clients"),)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        clients = [some_address() for _ in range(int(params["clients"]))]
        secret = f"secret-{random.randrange(2**64):x}"
        missing = url(stack, variant, f"no-such-page/?password={secret}")
        requests = [Request(missing, sent_by(client)) for client in clients]
        for number, client in enumerate(clients):
            again = 1 if number % 4 else FAILURES
            requests += [tries(stack, variant, client, f"somebody-{number}")] * again
        with psycopg.connect(stack.services["postgres"], autocommit=True) as database:
            before = rows(database)
            answers = list(volley(requests, processes=1, connections=4))
            kept = sum(expect(answer, 401, 403, 404).status != 403 for answer in answers)
            if not until(lambda: rows(database) >= before + kept, 60):
                raise ExperimentError("what was seen is not in the log after 60 s")
            later = datetime.now(UTC) + timedelta(days=365)
            stack.manage("forget", "--as-of", later.date().isoformat())
            with Redis.from_url(stack.services["redis"]) as store:
                let_go(store, variant)
                left = [stack.logs(), *everything_in(database), *everything_at(store)]
        text = "\n".join(left)
        yield self.clients(len(clients))
        yield self.found(len(written(text, clients) | recovered(text, clients)))
        yield self.secrets(text.count(secret))

    def judge(self, samples: Samples, params: Params) -> Verdict:
        words = f"{{measured}} of {samples.last(self.clients):.0f} clients found"
        found = Verdict.at_most(samples.last(self.found), 0, words)
        return found & Verdict.at_most(samples.last(self.secrets), 0, "{measured} query strings")


def rows(database: "psycopg.Connection") -> int:
    row = database.execute(f"SELECT count(*) FROM {LINES}").fetchone()  # type: ignore[arg-type]  # noqa: S608
    return int(row[0]) if row else 0


def let_go(store: "Redis", variant: str) -> None:
    """Let the time of each refusal pass; a key without one stays for good."""
    ending = [
        key
        for key in store.scan_iter(f"refused:{variant}:*", count=1_000)
        if store.pexpire(key, 1, xx=True)  # of those that have a time
    ]
    if ending and not until(lambda: not store.exists(*ending), 60):
        raise ExperimentError("the time of refusals has not passed within 60 s")


def everything_in(database: "psycopg.Connection") -> Iterator[str]:
    """Yield every row of every table as text."""
    tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in tables.fetchall():
        for (row,) in database.execute(f'SELECT each::text FROM "{table}" AS each'):  # noqa: S608
            yield row


def everything_at(store: "Redis") -> Iterator[str]:
    """Yield every key with its value."""
    for key in store.scan_iter(count=1_000):
        yield key.decode(errors="replace")
        kind = store.type(key)
        if kind == b"stream":
            yield repr(store.xrange(key))
        elif kind == b"string":
            yield repr(store.get(key))


def written(text: str, addresses: Iterable[str]) -> set[str]:
    """Return the addresses that are in the text: dotted, as a number, in hexadecimal or base64."""
    dotted = set(re.findall(r"\d+\.\d+\.\d+\.\d+", text))
    numbers = set(re.findall(r"(?<!\d)\d{9,10}(?!\d)", text))
    hexadecimal = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])", text.lower()))
    return {
        address
        for address in addresses
        for packed in (IPv4Address(address).packed,)
        if address in dotted
        or str(int.from_bytes(packed)) in numbers
        or packed.hex() in hexadecimal
        or base64.b64encode(packed).decode().rstrip("=") in text
        or base64.b64encode(address.encode()).decode().rstrip("=") in text
    }


def recovered(text: str, addresses: Iterable[str]) -> set[str]:
    """Return the addresses whose hashes are in the text; who tries all addresses finds these."""
    digests = set(re.findall(r"[0-9a-f]{16,64}", text))
    return {
        address
        for address in addresses
        if any(
            digest[:length] in digests
            for said in (address, f"{address}/32")
            for digest in (
                hashlib.sha256(said.encode()).hexdigest(),
                hashlib.md5(said.encode(), usedforsecurity=False).hexdigest(),
                hashlib.blake2b(said.encode()).hexdigest(),
                hashlib.blake2b(said.encode(), digest_size=10).hexdigest(),
            )
            for length in (16, 20, 32, 64)
        )
    }
