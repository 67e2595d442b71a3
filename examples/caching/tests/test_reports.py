"""What went wrong elsewhere, tried here: public bug reports, each with a small input of our own."""

import os
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from flights import configured
from flights.models import Airport, Departure
from layers import redis_layer as stored
from layers.layered import LayeredCache
from layers.outbox import BATCH, carry_out, relay
from layers.redis_layer import CLOCK, TAG_PREFIX, RedisLayer, adopt
from layers.values import PURGE_MEMORY_MS, Source, Ttl, Value
from lifetimes import TTL
from readings import read
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

here = pytest.mark.usefixtures("airports")
EXAMPLE = Path(__file__).parents[1]
PAGE = "/api/layered/airports/TEST/"


@pytest.fixture
def airports(transactional_db, emptied):  # noqa: ARG001 -- they are there
    for code in ("TEST", "NEAR"):
        Airport.objects.create(
            code=code, name="Here", city="", country="DE", latitude=50.9, longitude=7.1
        )
    outbox("DELETE FROM cache_outbox")


def outbox(statement="SELECT tag FROM cache_outbox ORDER BY id"):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [tag for (tag,) in cursor.fetchall()] if cursor.description else []


def database_url():
    return settings.DATABASE_URL.rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"


@pytest.fixture
def clients(transactional_db):  # noqa: ARG001 -- it is there
    first, second = clients = [psycopg.connect(database_url()) for _ in range(2)]
    with closing(first), closing(second):
        for client in clients:
            client.execute("SET lock_timeout = '20s'")
        yield clients


@pytest.mark.report(
    "evansd/whitenoise#89",
    "a 304 says `text/html`, and a shared cache takes that for the type of the page",
    "a 304 has neither type nor length, and `the-edge-is-fresh-and-private` compares both",
)
@here
def test_304_says_nothing_of_the_page():
    site = Client()
    page = site.get(PAGE)

    answer = site.get(PAGE, headers={"If-None-Match": page["ETag"]})

    assert answer.status_code == 304
    assert "Content-Type" not in answer
    assert "Content-Length" not in answer
    assert answer["Cache-Control"] == page["Cache-Control"]


@pytest.mark.report(
    "open-metadata/OpenMetadata#30497",
    "`ETag` from a row's version: 304 for a page that changed",
    "`ETag` is a digest of what is sent",
)
@here
def test_row_that_is_made_anew_with_the_same_version_is_another_page():
    site = Client()
    etag = site.get(PAGE)["ETag"]
    Airport.objects.filter(code="TEST").delete()
    Airport.objects.create(
        code="TEST", name="There", city="", country="DE", latitude=50.9, longitude=7.1
    )
    assert carry_out(connection.connection, "cache", configured.cache().purge)

    answer = site.get(PAGE, headers={"If-None-Match": etag})

    assert (answer.status_code, answer.json()["version"]) == (200, 1)


@pytest.mark.report(
    "saurabhnanda/odd-jobs#115",
    "`IN (SELECT … LIMIT n FOR UPDATE SKIP LOCKED)` takes more than n",
    "n rows, whatever the planner believes",
)
@here
def test_batch_is_bounded_though_the_outbox_was_empty_when_it_was_analysed():
    outbox("VACUUM ANALYZE cache_outbox")
    outbox("INSERT INTO cache_outbox (tag) SELECT 'airport:' || n FROM generate_series(1, 5000) n")
    taken = []

    began = time.monotonic()
    while carry_out(connection.connection, "cache", lambda tags: taken.append(len(tags)) or True):
        pass

    assert taken == [BATCH] * 5
    assert time.monotonic() - began < 60  # 1 s, and what a busy machine takes


@contextmanager
def relaying(purge):
    """Run a relay as a process does, and end it."""
    over = threading.Event()

    class Over(Exception):
        pass

    def alive():
        if over.is_set():
            raise Over

    def run():
        with suppress(Over):
            relay(database_url(), "cache", purge, alive=alive)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def cut_relay():
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 20_000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'cache relay'"
        )


@pytest.mark.report(
    "lidofinance/lido-keys-api#268",
    "a worker meets a database that takes no writes, and needs a restart by hand",
    "the relay tries again after every error of the database",
)
@here
def test_relay_outlives_a_failover(wait_until, caplog):
    purged = []
    with relaying(lambda tags: purged.extend(tags) or True):
        outbox("INSERT INTO cache_outbox (tag) VALUES ('before')")
        wait_until(lambda: not outbox())  # committed: a purge that is cut before is made again
        name = connection.settings_dict["NAME"]
        outbox(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            cut_relay()
            outbox("INSERT INTO cache_outbox (tag) VALUES ('after')")
            wait_until(lambda: "read-only transaction" in caplog.text)
        finally:
            outbox(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        wait_until(lambda: not outbox())

    assert purged == ["before", "after"]


@pytest.mark.report(
    "noripyt/django-cachalot#269",
    "after a restart of the database nothing is voided any more",
    "purges are in the outbox, and the relay connects anew",
)
@here
@pytest.mark.parametrize(("cut_at", "expected"), [("idle", 1), ("purge", 2)])
def test_relay_outlives_a_cut_connection(wait_until, cut_at, expected):
    """A purge whose commit is cut is made again: at least once."""
    purged = []

    def purge(tags):
        purged.extend(tags)
        if cut_at == "purge" and len(purged) == 1:
            cut_relay()
        return True

    with relaying(purge):
        outbox("INSERT INTO cache_outbox (tag) VALUES ('before')")
        wait_until(lambda: not outbox())
        if cut_at == "idle":
            cut_relay()
        outbox("INSERT INTO cache_outbox (tag) VALUES ('after')")
        wait_until(lambda: not outbox())

    assert purged == ["before"] * expected + ["after"]


@here
def test_defect_in_one_thread_of_the_relay_ends_it(tmp_path):
    (tmp_path / "relay-alive-edge").symlink_to("/nowhere/at/all")  # it cannot say that it is alive
    env = {**os.environ, "TMPDIR": str(tmp_path), "CDN_PURGE_URL": "http://127.0.0.1:1"}
    done = subprocess.run(
        [sys.executable, "manage.py", "relay"],
        cwd=EXAMPLE,
        env={**env, "DATABASE_URL": database_url()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "no purges of edge are carried out" in done.stderr


@here
def test_relay_purges_though_it_hears_of_no_purges(redis, key, wait_until):
    rights = {"keys": ["*"], "channels": ["*"], "commands": ["+@all", "-subscribe"]}
    redis.acl_setuser("deaf", enabled=True, passwords=["+deaf"], **rights)
    heard = urlsplit(os.environ["REDIS_URL"])
    deaf = f"redis://deaf:deaf@{heard.hostname}:{heard.port}{heard.path}"
    env = {**os.environ, "REDIS_URL": deaf, "DATABASE_URL": database_url()}
    outbox(f"INSERT INTO cache_outbox (tag) VALUES ('{key}')")
    with subprocess.Popen([sys.executable, "manage.py", "relay"], cwd=EXAMPLE, env=env) as process:
        try:
            wait_until(lambda: not outbox())
        finally:
            process.terminate()
    redis.acl_deluser("deaf")

    assert redis.exists(f"{TAG_PREFIX}{key}")


@pytest.mark.report(
    "hardbyte/awa#492",
    "triggers that write rows which others write, too, wait for each other and deadlock",
    "a trigger only inserts into the outbox",
)
@here
def test_imports_in_opposite_order_do_not_wait(clients):
    first, second = clients
    added = (
        "INSERT INTO flights_departure (airport_id, flight, destination, minute)"
        " VALUES (%s, 'NX', '', 0)"
    )

    for client, code in ((first, "TEST"), (second, "NEAR"), (first, "NEAR"), (second, "TEST")):
        client.execute(added, [code])
    first.commit()
    second.commit()

    assert sorted(outbox()) == ["airport:NEAR"] * 2 + ["airport:TEST"] * 2


@pytest.mark.report(
    "nyaruka/rapidpro#4181",
    "a trigger for each row makes 100 rows of bookkeeping for a batch of 100",
    "one row for each tag of a statement",
)
@here
def test_bulk_write_is_one_purge_for_each_tag():
    Departure.objects.bulk_create(
        Departure(airport_id="TEST", flight=f"NX{n}", destination="NEAR", minute=0)
        for n in range(2_000)
    )
    Departure.objects.update(minute=1)

    assert outbox() == ["airport:TEST"] * 2


@pytest.fixture
def loader(transactional_db):  # noqa: ARG001 -- it is there
    """A client that may write airports, and knows of nothing else."""
    with psycopg.connect(database_url(), autocommit=True) as client:
        client.execute("CREATE ROLE loader")
        try:
            client.execute("GRANT SELECT, UPDATE ON flights_airport TO loader")
            yield client
            client.execute("RESET ROLE; RESET search_path")
        finally:
            client.execute("DROP OWNED BY loader; DROP ROLE loader")


@pytest.mark.report(
    "windmill-labs/windmill#7826",
    "a trigger writes with the rights of whoever changes a row: permission denied, and no change",
    "whoever may write a row may write down its purge",
)
@here
def test_role_that_may_only_write_airports_writes_purges(loader):
    loader.execute("SET ROLE loader")

    loader.execute("UPDATE flights_airport SET name = 'There', latitude = 0 WHERE code = 'TEST'")

    assert sorted(outbox()) == ["airport:TEST", "airports"]


@pytest.mark.report(
    "boardsesh/boardsesh#4699",
    "`pg_restore` empties the `search_path`, and a trigger does not find what it names",
    "a trigger finds the outbox whatever the path is",
)
@here
def test_restore_without_a_search_path_writes_purges(loader):
    loader.execute("SET search_path = ''")

    loader.execute("UPDATE public.flights_airport SET latitude = 0 WHERE code = 'TEST'")

    assert sorted(outbox()) == ["airport:TEST", "airports"]


WAYS_TO_TAKE_NO_WRITES = {
    "demoted": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    "lonely": (
        ("CONFIG", "SET", "min-replicas-to-write", "1"),
        ("CONFIG", "SET", "min-replicas-to-write", "0"),
    ),
    "paused": (("CLIENT", "PAUSE", "60000", "WRITE"), ("CLIENT", "UNPAUSE")),
}


@pytest.fixture(params=WAYS_TO_TAKE_NO_WRITES)
def takes_no_writes(request, redis, filled):  # noqa: ARG001 -- before
    begin, end = WAYS_TO_TAKE_NO_WRITES[request.param]
    redis.execute_command(*begin)
    yield
    redis.execute_command(*end)


@pytest.fixture
def filled(key, value, wait_until):
    impatient = Redis.from_url(
        os.environ["REDIS_URL"],
        socket_timeout=1,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=adopt,
    )
    cache = LayeredCache(impatient, in_transaction=lambda: False)
    wait_until(lambda: cache.local.epoch is not None)
    wait_until(lambda: cache.get(key, lambda: value, TTL).source is Source.LOCAL)
    return cache


@pytest.mark.report(
    "jazzband/django-redis#616",
    "Redis answers, and takes no writes",
    "what cannot be purged is not served from the memory of a process",
)
@pytest.mark.usefixtures("takes_no_writes")
def test_what_cannot_be_purged_is_not_trusted(filled, wait_until):
    wait_until(lambda: filled.local.epoch is None)


@pytest.mark.report(
    "redis/redis-py#460",
    "a demoted server keeps its connections, and every write on them fails",
    "its connections are closed, those of readers who only hit, too; the next one finds the new server",
)
def test_connections_to_a_demoted_server_are_left(filled, redis, key, value, wait_until):
    before = str(filled.shared._own.client_id())
    redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert filled.shared.read(f"{key}:2", TTL) is None  # asked, whatever the tracking knows
        wait_until(lambda: before not in {each["id"] for each in redis.client_list()})
    finally:
        redis.execute_command("REPLICAOF", "NO", "ONE")
    wait_until(lambda: filled.get(f"{key}:2", lambda: value, TTL).source is not Source.BYPASS)


def test_reader_who_only_hits_leaves_a_demoted_server(filled, redis, key, value, wait_until):
    before = filled.shared._own.client_id()
    redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        wait_until(lambda: filled.local.epoch is None)
    finally:
        redis.execute_command("REPLICAOF", "NO", "ONE")
    wait_until(lambda: filled.local.epoch is not None)

    redis.client_kill_filter(_id=before)  # it fails whoever asks on it
    assert filled.get(key, lambda: value, TTL, nearest=False).source is Source.REDIS


@pytest.mark.report(
    "Suor/django-cacheops#302",
    "a result that an invalidation overtook is stored",
    "the fill is refused, also when another format of entries is live beside",
)
def test_purge_reaches_every_live_format(redis, key, value, monkeypatch):
    old, new = RedisLayer(redis), RedisLayer(redis)
    running = {}
    for each, prefix in ((old, "cache:v1:"), (new, "cache:v99:")):
        monkeypatch.setattr(stored, "ENTRIES", prefix)
        running[prefix] = read(each, key, TTL).lease
    new.purge([key])

    for each, prefix in ((old, "cache:v1:"), (new, "cache:v99:")):
        monkeypatch.setattr(stored, "ENTRIES", prefix)
        assert each.fill(key, running[prefix], value, TTL) is Source.OVERTAKEN


FORKED = """
import os, sys, time
from redis import Redis
from layers.layered import LayeredCache
from layers.values import Ttl, Value

redis, key = Redis.from_url(os.environ["REDIS_URL"]), sys.argv[1]
cache = LayeredCache(redis, in_transaction=lambda: False)

def get(data):
    return cache.get(key, lambda: Value(data, (key,)), Ttl(60_000, 120_000, 5_000)).value.data

while cache.local.get(key) is None:
    get(b"old")
purged, tell = os.pipe()
if not (child := os.fork()):
    while cache.local.get(key) is None:
        get(b"old")
    os.write(tell, b"!")
    time.sleep(0.1)
    end = time.monotonic() + 60
    while (found := get(b"new")) != b"new" and time.monotonic() < end:
        time.sleep(0.01)
    os._exit(found != b"new")
os.read(purged, 1)
cache.purge([key])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.report(
    "redis/redis-py#412",
    "a client that was used before a fork is shared by parent and child",
    "the child begins with an empty layer and a connection of its own",
)
def test_child_of_a_fork_hears_of_purges(key):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, key], cwd=EXAMPLE, timeout=180, check=False
    )

    assert done.returncode == 0


@pytest.mark.report(
    "stellar/stellar-core#690",
    "the cache keeps what a transaction read that was rolled back",
    "inside a transaction nothing is read from the cache or kept",
)
@here
def test_inside_a_transaction_the_cache_is_left_alone():
    site = Client()
    site.get(PAGE)
    with transaction.atomic():
        Airport.objects.filter(code="TEST").update(name="Uncommitted")
        assert b"Uncommitted" in configured.get("airport", "TEST").value.data
        transaction.set_rollback(True)

    assert site.get(PAGE).json()["name"] == "Here"


@here
def test_uncommitted_value_without_an_atomic_block_is_not_kept():
    site = Client()
    site.get(PAGE)
    transaction.set_autocommit(False)
    try:
        outbox("UPDATE flights_airport SET name = 'Uncommitted' WHERE code = 'TEST'")
        configured.cache().purge(["airport:TEST"])
        assert b"Uncommitted" in configured.get("airport", "TEST").value.data
        transaction.rollback()
    finally:
        transaction.set_autocommit(True)

    assert site.get(PAGE).json()["name"] == "Here"


@pytest.mark.report(
    "nhibernate/NHibernate-Caches#62",
    "a script unpacks what it was given: with 8,000 items no read succeeds any more",
    "a value may have any number of tags",
)
def test_value_with_ten_thousand_tags_is_read_and_purged(cache, key):
    value = Value(b"x", tuple(f"{key}:{number}" for number in range(10_000)))
    sources = [cache.get(key, lambda: value, TTL).source for _ in range(2)]

    assert sources == [Source.COMPUTED, Source.REDIS]
    assert cache.purge(value.tags[-1:])
    assert cache.get(key, lambda: value, TTL).source is Source.COMPUTED


@pytest.mark.report(
    "redis/redis-py#2624",
    "who is interrupted between question and answer leaves the answer to the next one: another one's data",
    "that connection is closed, and the next question is asked on a new one",
)
def test_interrupted_reader_leaves_no_answer_to_the_next_one(cache, key, monkeypatch):
    for name in ("first", "second"):
        value = Value(name.encode(), (key,))
        assert cache.get(f"{key}:{name}", lambda found=value: found, TTL).value == value
    asked = cache.shared._own.connection

    def interrupted(*_, **__):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(asked, "read_response", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.get(f"{key}:first", None, TTL)

    assert cache.get(f"{key}:second", None, TTL).value.data == b"second"


@pytest.mark.report(
    "coleifer/walrus#84",
    "a client with `decode_responses` is handed over, and what was stored cannot be read",
    "it is refused in a sentence",
)
def test_client_that_decodes_is_refused():
    redis = Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)

    with pytest.raises(ValueError, match="values are bytes"):
        LayeredCache(redis, in_transaction=lambda: False)


@pytest.mark.parametrize("first", ["purge", "lease"])
def test_lost_clock_repeats_no_time(redis, shared, key, first):
    shared.purge([key])
    before = int(redis.get(CLOCK))
    redis.delete(CLOCK)  # as FLUSHALL and eviction do

    assert shared.purge([key]) if first == "purge" else read(shared, key, TTL).lease
    assert int(redis.get(CLOCK)) > before


def test_entry_may_not_outlive_the_memory_of_its_purge():
    with pytest.raises(ValueError, match="purges are remembered"):
        Ttl(soft_ms=60_000, hard_ms=PURGE_MEMORY_MS, lease_ms=1)
