"""Nothing is taken off the stream before it is kept, and what fails stops nothing else."""

import json
import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from detector.detector import Detector
from detector.sightings import Sighting, Verdict
from django.db import DatabaseError
from kept import keeper as keeper_module
from kept import log, stream
from kept.forgetting import forget
from kept.keeper import Keeper, Pipeline
from kept.models import DayKey, Finding, LogLine
from kept.refusals import Refusals
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

pytestmark = pytest.mark.django_db(transaction=True)
SEEN = Sighting(0, "192.0.2.1/32", "missing", "/lost", status=404)


@pytest.fixture
def keeper(redis, variant):
    yield Keeper(redis, {variant: Pipeline(Detector())})
    for key in (*redis.scan_iter(f"*{variant}*"), "keeper"):
        redis.delete(key)


def test_what_was_seen_is_kept_and_taken_off_the_stream(redis, variant, keeper):
    stream.send(redis, [(variant, SEEN)] * 1_200)
    keeper.step()

    assert LogLine.objects.count() == 1_200
    assert redis.xlen(f"seen:{variant}") == 0
    line = LogLine.objects.first()
    assert (line.network, line.path, line.status) == ("192.0.2.0/24", "/lost", 404)
    assert "192" not in line.client


@pytest.mark.parametrize(
    "bad",
    [
        SEEN._replace(path="/x\0"),
        SEEN._replace(path="\ud800"),
        SEEN._replace(kind="k" * 100),
        SEEN._replace(status=10**6),
    ],
    ids=["NUL", "surrogate", "too long", "too large"],
)
def test_line_that_postgresql_refuses_costs_no_other(redis, variant, keeper, bad):
    stream.send(redis, [(variant, SEEN), (variant, bad), (variant, SEEN)])
    keeper.step()

    assert LogLine.objects.filter(path="/lost", kind="missing", status=404).count() == 2
    assert redis.xlen(f"seen:{variant}") == 0


def test_nul_does_not_hide_a_line():
    log.keep([stream.Seen("1-0/0", SEEN._replace(path="/x\0y"))])

    assert LogLine.objects.get().path == "/x%00y"


@pytest.mark.parametrize(
    "rows",
    [
        "",
        "no json",
        "7",
        "null",
        "[" * 100_000,
        "[[]]",
        '[["no network","ok","","","",1]]',
        '[["1.1.1.1","ok","","","",Infinity]]',
    ],
)
def test_entry_that_nobody_can_read_costs_no_other(redis, variant, keeper, caplog, rows):
    stream.send(redis, [(variant, SEEN)])
    redis.xadd(f"seen:{variant}", {"rows": rows})
    stream.send(redis, [(variant, SEEN)])
    with caplog.at_level(logging.ERROR):
        keeper.step()

    assert LogLine.objects.count() == 2
    assert "is not read" in caplog.text


@pytest.mark.report(
    "cssbruno/GoWDK#197",
    "an entry of a stream that was read and not handled is never read again",
    "it is read again until it is kept",
)
def test_what_cannot_be_kept_stays_on_the_stream_and_is_judged_once(redis, variant, keeper):
    trap = SEEN._replace(kind="trap")
    stream.send(redis, [(variant, trap)])
    keeper.pipelines = {variant: Pipeline(Detector(), keep=failing)}
    keeper.step()
    assert redis.xlen(f"seen:{variant}") == 1

    keeper.pipelines = {variant: Pipeline(Detector())}
    keeper.step()
    keeper.step()

    assert redis.xlen(f"seen:{variant}") == 0
    assert Finding.objects.count() == 1
    assert Refusals(redis, variant).scope(trap.client) == "all"


@pytest.mark.report(
    "etcd-io/etcd#16028",
    "after a restore numbers begin lower than those that a reader has seen, and it sees nothing",
    "the reader begins at the beginning, for what is done is deleted",
)
def test_entries_with_lower_ids_are_read(redis, variant, keeper):
    now = int(datetime.now(UTC).timestamp() * 1_000)
    for entry in (f"{now}-0", f"{now - 60_000}-0"):
        redis.delete(f"seen:{variant}")
        redis.xadd(f"seen:{variant}", {"rows": json.dumps([list(SEEN)[1:]])}, id=entry)
        keeper.step()

    assert LogLine.objects.count() == 2


def test_what_could_not_be_deleted_is_not_judged_again(redis, variant, keeper, monkeypatch):
    stream.send(redis, [(variant, SEEN._replace(kind="trap"))])
    with monkeypatch.context() as broken:
        broken.setattr(stream, "delete", failing)
        keeper.step()
        keeper.step()
    keeper.step()

    assert redis.xlen(f"seen:{variant}") == 0
    assert Finding.objects.count() == 1


def failing(*_):
    raise DatabaseError("away")


@pytest.mark.report(
    "django/channels#783",
    "a thread ends when Redis closes its connection, and nobody starts another",
    "what a process has seen waits in it until Redis answers",
)
@pytest.mark.usefixtures("keeper")
def test_what_was_seen_while_redis_was_away_is_sent(redis, variant):
    tried = threading.Semaphore(0)

    class Away(Redis):
        def pipeline(self, **how):
            tried.release()
            return super().pipeline(**how)

    reporter = stream.Reporter(Away(port=1, retry=Retry(NoBackoff(), 0)))
    for _ in range(3):
        reporter.note(variant, SEEN)
    assert all(tried.acquire(timeout=20) for _ in range(4))

    reporter._redis = redis
    ((_, rows),) = stream.receive(redis, [variant], 20)[variant]
    assert len(json.loads(rows)) == 3


def test_verdicts_that_cannot_be_handed_over_wait(redis, variant, keeper):
    stream.send(redis, [(variant, SEEN._replace(kind="trap"))])
    keeper.pipelines = {variant: Pipeline(Detector(), found=failing)}
    keeper.step()
    assert len(keeper.waiting) == 1

    keeper.pipelines = {variant: Pipeline(Detector())}
    keeper.step()

    assert Finding.objects.get().scope == "all"


def test_duty_that_fails_stops_no_other(redis, keeper, monkeypatch):
    monkeypatch.setattr(keeper_module, "forget", failing)
    monkeypatch.setattr(Keeper, "_watch", failing)
    keeper.step()

    assert redis.hexists("keeper", "peak_kb")


def test_second_keeper_waits(redis, variant, keeper, monkeypatch):
    keeper.step()
    monkeypatch.setattr(Keeper, "_lead", lambda: False)
    monkeypatch.setattr(keeper_module, "STANDBY_SECONDS", 0)
    stream.send(redis, [(variant, SEEN)])
    Keeper(redis, keeper.pipelines).step()

    assert redis.xlen(f"seen:{variant}") == 1


def test_entry_that_is_read_again_is_kept_once(redis, variant):
    stream.send(redis, [(variant, SEEN)])
    for _ in range(2):
        for entries in stream.receive(redis, [variant], 0.1).values():
            log.keep([each for entry, rows in entries for each in stream.read(entry, rows)])

    assert LogLine.objects.count() == 1


def test_time_is_that_of_the_stream(redis, variant):
    began = datetime.now(UTC).timestamp()
    stream.send(redis, [(variant, SEEN)])
    ((entry, rows),) = stream.receive(redis, [variant], 0.1)[variant]
    (seen,) = stream.read(entry, rows)

    assert began - 1 <= seen.sighting.seconds <= datetime.now(UTC).timestamp() + 1
    assert len(json.loads(rows)[0]) == len(Sighting._fields) - 1


def test_list_refuses_a_client_or_its_neighbours_and_ends_by_itself(redis, variant):
    refusals = Refusals(redis, variant)
    refusals.add(Verdict("192.0.2.0/24", "logins", ""))
    refusals.add(Verdict("192.0.2.9/32", "all", ""))
    refusals.add(Verdict("192.0.3.1/32", "named", ""))

    scopes = [refusals.scope(f"{each}/32") for each in ("192.0.2.1", "192.0.2.9", "192.0.3.1")]
    assert scopes == ["logins", "all", ""]
    assert 0 < redis.ttl(f"refused:{variant}:192.0.2.9/32") <= 600


@pytest.mark.report(
    "hslatman/caddy-crowdsec-bouncer#129",
    "the list keeps one decision for an address, so that a lesser one replaces a ban",
    "who is refused everything stays so",
)
def test_lesser_verdict_replaces_no_other(redis, variant):
    refusals = Refusals(redis, variant)
    for scope in ("logins", "all", "logins"):
        refusals.add(Verdict(SEEN.client, scope, ""))

    assert refusals.scope(SEEN.client) == "all"


def test_key_goes_with_the_last_lines_of_its_day():
    today = datetime.now(UTC)
    for days in (0, 6, 8):
        at = today - timedelta(days=days)
        log.keep([stream.Seen(f"{days}", SEEN._replace(seconds=at.timestamp()))])
    forget(today)

    assert LogLine.objects.count() == DayKey.objects.count() == 2
    assert len(set(LogLine.objects.values_list("client", flat=True))) == 2
