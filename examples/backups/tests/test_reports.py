"""What went wrong elsewhere, tried here: on a real server, with what was kept of it."""

import os
import random
import re
import shutil
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from flights.ways import received
from hands import answers, receiving, wait_until
from keep import base, log
from keep.place import Failed, Place, Server, ask
from restore import proof
from restore.proof import proved
from restore.replay import replayed
from restore.server import draft

PAGE = Path(__file__).parent.parent / "README.md"


def free_port() -> int:
    """Return a port that no outgoing connection is given: nobody else takes it before the server is there."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(15_000, 32_000)))
            return int(probe.getsockname()[1])


@contextmanager
def running(place: Place, folder: Path, *more: str) -> Iterator[None]:
    """Start the live server on `folder`; end it as at the end of a working day."""
    options = "-h", "127.0.0.1", "-p", place.server["port"], "-k", "", "-c", "fsync=off", *more
    server = place.start(folder.with_suffix(".log"), "postgres", "-D", folder, *options)
    try:
        wait_until(lambda: answers(place.server))
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


@contextmanager
def begun(place: Place) -> Iterator[None]:
    """Do what the write-up says under "In your own project"; end what it has started."""
    section = PAGE.read_text(encoding="utf-8").partition("## In your own project")[2]
    lines = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[0]
    names = {"FOLDER": place.folder, "SERVER": place.server}
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{place.programs}{os.pathsep}{path}"
    try:
        exec(lines, names)
        yield
    finally:
        os.environ["PATH"] = path
        if "receiver" in names:
            names["receiver"].kill()
            names["receiver"].wait()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Yield a folder of whoever PostgreSQL's programs run as."""
    root = Path(os.environ["POSTGRES_FOLDER"])
    path = root / uuid.uuid4().hex[:8]
    path.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(path, root.stat().st_uid, root.stat().st_gid)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[Place]:
    """Yield the place of a server that has the traps of others in its settings, and is received."""
    address = {"host": "127.0.0.1", "user": "nexus", "password": "one", "dbname": "postgres"}
    whole = Place(folder, os.environ["POSTGRES_BIN"], address | {"port": str(free_port())})
    live, kept = folder / "live", folder / "kept"
    (folder / "password").write_text("one")
    how = "--username=nexus", "--auth=scram-sha-256", f"--pwfile={folder}/password", "--no-sync"
    whole.run("initdb", "--pgdata", live, "--wal-segsize=1", *how)  # MB: sooner copied than 16
    whole.run("mkdir", kept, folder / "archive")
    with (live / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(f"archive_mode = on\narchive_command = 'cp %p \"{folder}/archive/%f\"'\n")
        settings.write("max_connections = 120\nmax_prepared_transactions = 5\n")
    place = Place(kept, whole.programs, whole.server)
    with running(place, live):
        place.sql("CREATE TABLE booked AS SELECT generate_series(1, 10) AS id")
        # Each restore here copies all files, and a third of them would be this template's.
        place.sql("ALTER DATABASE template1 IS_TEMPLATE false")
        place.sql("DROP DATABASE template1")
        with begun(place):
            yield place


@contextmanager
def restored(place: Place, until: str = "", of: Path | None = None) -> Iterator[Server]:
    """Restore the only base backup, or another one, beside what is kept."""
    folder = place.folder.with_name(f"restored_{uuid.uuid4().hex[:8]}")
    with replayed(place, of or base.bases(place)[0], log.folder(place), folder, until) as server:
        yield server


@pytest.fixture(scope="module")
def copied(place: Place) -> Callable[[], Path]:
    """Return what copies the base backup, for a test to change."""

    def copy() -> Path:
        copy = place.folder.with_name(f"base_{uuid.uuid4().hex[:8]}")
        place.run("cp", "-a", base.bases(place)[0], copy)
        return copy

    return copy


@pytest.fixture(scope="module")
def trial(place: Place, copied: Callable[[], Path]) -> Iterator[Server]:
    """Yield a server restored from all that was kept, with what its settings once were still in them."""
    place.sql("INSERT INTO booked SELECT generate_series(11, 20)")
    place.sql("SELECT pg_switch_wal()")
    place.sql("INSERT INTO booked SELECT generate_series(21, 30)")
    place.sql("CREATE SEQUENCE numbers; SELECT nextval('numbers') FROM booked")
    waiting = copied()  # of a server whose commits wait for the keeper
    with (waiting / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write("synchronous_standby_names = 'keeper'\n")
    (waiting / "standby.signal").touch()  # as one of a standby has
    waiting.chmod(0o777)  # as some storage leaves it
    place.sql("BEGIN; CREATE TABLE undecided (); PREPARE TRANSACTION 'undecided'")
    with restored(place, of=waiting) as server:
        place.sql("ROLLBACK PREPARED 'undecided'")
        yield server


def test_lines_of_the_page_keep_a_server(place):
    assert len(base.bases(place)) == 1
    assert log.is_demanded(place)


@pytest.mark.report(
    "EnterpriseDB/barman#92",
    "the segment that is being received has another name, and is left out of the restore",
    "what is received is restored, whatever its file is called",
)
def test_segment_that_is_not_full_is_restored_too(place, trial):
    assert [path.suffix for path in log.folder(place).iterdir()].count(".partial") == 1
    assert ask(trial, "SELECT count(*) FROM booked") == [(30,)]
    assert ask(trial, "SELECT nextval('numbers') > 30") == [(True,)]


@pytest.mark.report(
    "pgbackrest/pgbackrest#1616",
    "a server restored for a test archives its own timeline, and the next real restore follows it",
    "the restored server archives nothing",
)
def test_restored_server_writes_into_no_archive(place, trial):
    archive = place.folder.with_name("archive")
    wait_until(lambda: list(archive.iterdir()))  # the live server does
    before = ask(trial, "SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
    ask(trial, "SELECT pg_switch_wal()")
    ask(trial, "CHECKPOINT")

    assert ask(trial, "SHOW archive_mode") == [("off",)]
    assert before.startswith("00000002")
    assert not list(archive.glob("00000002*"))


@pytest.mark.report(
    "EnterpriseDB/repmgr#274",
    "a server that names a standby which is not there yet: each statement that writes hangs",
    "the restored server waits for nobody",
)
def test_restored_server_takes_writes(trial):
    assert ask(trial, "SHOW synchronous_standby_names") == [("",)]
    ask(trial, "CREATE TABLE written (id int)")
    assert ask(trial, "SELECT count(*) FROM written") == [(0,)]


@pytest.mark.report(
    "2ndQuadrant/bdr#207",
    "a restored server does not know that it is one, and takes changes that others wait for",
    "it starts no worker that would fetch any",
)
def test_restored_server_subscribes_to_nothing(trial):
    assert ask(trial, "SHOW max_logical_replication_workers") == [("0",)]


@pytest.mark.report(
    "CrunchyData/postgres-operator#2615",
    "the server had room for more connections than the restored one, whose recovery ends there",
    "the restored server has room for all that the log has, whatever the settings were",
)
def test_transaction_that_was_prepared_and_not_decided_is_there(trial):
    assert ask(trial, "SELECT current_setting('max_connections')") == [("100",)]
    assert ask(trial, "SELECT gid FROM pg_prepared_xacts") == [("undecided",)]


@pytest.mark.report(
    "apecloud/kubeblocks#5429",
    "a restored server knows the password of its own time, and nobody is let in",
    "whoever restores comes in without one; nobody else reaches the server",
)
def test_password_that_was_changed_since_then_keeps_nobody_out(place):
    moment = str(place.sql("SELECT clock_timestamp()")[0][0])
    place.sql("ALTER ROLE nexus PASSWORD 'two'")
    since = replace(place, server=place.server | {"password": "two"})
    try:
        with restored(since, moment) as server:
            assert ask(server, "SELECT count(*) > 0 FROM booked") == [(True,)]
    finally:
        since.sql("ALTER ROLE nexus PASSWORD 'one'")


def test_server_that_lets_nobody_in_is_not_waited_for(place):
    stranger = replace(place, server=place.server | {"user": "stranger"})
    refused = pytest.raises(Failed, match='nobody in: role "stranger" does not exist')
    with refused, restored(stranger):
        pass


@pytest.mark.report(
    "pgbackrest/pgbackrest#2417",
    "the target of an earlier recovery stays in postgresql.auto.conf for good",
    "the moment that was asked for is the only one",
)
@pytest.mark.report(
    "pgbackrest/pgbackrest#375",
    "a second recovery follows the timeline of the first one, and misses what came after it",
    "the newest timeline is followed, without the delay of a replica that lags on purpose",
)
@pytest.mark.report(
    "CrunchyData/postgres-operator#3678",
    "a restore fails on a machine that has other huge pages than the server's settings ask for",
    "the restored server asks for none",
)
@pytest.mark.report(
    "pgmoneta/pgmoneta#1181",
    "Debian keeps postgresql.conf outside of the data, so that it is in no base backup",
    "the restored server needs neither it nor pg_hba.conf",
)
def test_settings_of_an_earlier_server_count_no_more_wherever_they_lie(place, copied):
    other = copied()
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        (other / name).unlink()
    with (other / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write("recovery_target = 'immediate'\nrecovery_target_action = 'shutdown'\n")
        settings.write("recovery_target_timeline = '1'\nrecovery_min_apply_delay = '20s'\n")
        settings.write("recovery_target_inclusive = off\nhuge_pages = on\n")
        settings.write(f"recovery_end_command = 'touch \"{other}.ended\"'\n")
        settings.write(f"external_pid_file = '{other}.pid'\nlogging_collector = on\n")
        for when in ("shared", "session", "local"):
            settings.write(f"{when}_preload_libraries = 'is_not_here'\n")
    moment = str(place.sql("SELECT clock_timestamp()")[0][0])
    place.sql("INSERT INTO booked VALUES (0)")
    count = place.sql("SELECT count(*) FROM booked WHERE id > 0")

    with restored(place, moment, of=other) as server:
        assert ask(server, "SELECT count(*) FROM booked") == count
        assert not list(other.parent.glob(f"{other.name}.*"))
        assert ask(server, "SHOW huge_pages") == [("off",)]
        assert ask(server, "SHOW logging_collector") == [("off",)]
        assert ask(server, "SHOW recovery_target_timeline") == [("latest",)]
        assert ask(server, "SHOW recovery_target_inclusive") == [("on",)]
        assert ask(server, "SHOW recovery_min_apply_delay") == [("0",)]
    place.sql("DELETE FROM booked WHERE id = 0")


@pytest.mark.report(
    "wal-g/wal-g#1702",
    "a base backup taken of a standby says that it is one, and its restore waits for ever",
    "a restored server is a standby of nobody",
)
def test_base_of_a_standby_becomes_a_server(trial):
    assert ask(trial, "SELECT pg_is_in_recovery()") == [(False,)]


@pytest.mark.report(
    "EnterpriseDB/barman#881",
    "asked for a moment after the last commit, the server ends without having started",
    "one sentence says so; no server, no guess",
)
def test_moment_that_the_log_does_not_reach_is_refused(place):
    refused = pytest.raises(Failed, match="recovery ended before configured recovery target")
    with refused, restored(place, "2100-01-01 00:00:00+00"):
        pass


@pytest.mark.report(
    "EnterpriseDB/barman#945",
    "a moment without its zone is one time for the tool, and another for the server",
    "it is refused; `Z` and `+02:00` are understood",
)
def test_moment_without_its_zone_is_refused(place):
    with pytest.raises(Failed, match="zone"):
        base.newest(place, "2100-01-01 00:00:00")
    for zoned in ("2100-01-01T00:00:00Z", "2100-01-01 02:00:00+02:00"):
        assert base.newest(place, zoned) == base.bases(place)[-1]


@pytest.mark.report(
    "EnterpriseDB/barman#95",
    "a restore puts the tablespaces of the copy where those of the live server are",
    "a server with tablespaces is refused before anything is copied",
)
def test_tablespaces_are_refused(place):
    place.run("mkdir", place.folder.with_name("space"))
    place.sql(f"CREATE TABLESPACE space LOCATION '{place.folder.with_name('space')}'")
    try:
        with pytest.raises(Failed, match="tablespace"):
            base.take(place)
    finally:
        place.sql("DROP TABLESPACE space")
    assert len(base.bases(place)) == 1


@pytest.mark.report(
    "postgrespro/pg_probackup#490",
    "unlogged tables are empty after every restore of a physical backup",
    "the night compares the other tables, and is good",
)
def test_unlogged_table_and_other_ways_to_write_values_make_no_night_bad(place):
    """What ALTER SYSTEM sets is in no log, and no setting of the restored server."""
    place.sql("CREATE UNLOGGED TABLE scratch AS SELECT 1 AS id")
    place.sql("CREATE TABLE flown AS SELECT interval '1 day 2 hours' AS time")
    place.sql("ALTER SYSTEM SET intervalstyle = 'iso_8601'")
    place.sql("SELECT pg_reload_conf()")
    wait_until(lambda: place.sql("SHOW intervalstyle") == [("iso_8601",)])
    try:
        assert "rows restored as they were" in proved(place)
    finally:
        place.sql("ALTER SYSTEM RESET intervalstyle")
        place.sql("SELECT pg_reload_conf()")
        place.sql("DROP TABLE scratch, flown")


@pytest.mark.report(
    "mighty840/orca#204",
    "retention runs after nights that failed, and takes the last good backup with it",
    "after a night that was not good nothing goes",
)
def test_bad_night_takes_no_backup_with_it(place):
    newest = base.newest(place)
    for number in range(received.MOST):
        place.run("cp", "-al", newest, newest.with_name(f"209{number}-01-01T000000.000000"))
    control = newest / "global" / "pg_control"
    was = control.read_bytes()
    control.write_bytes(was[:-1] + b"!")
    try:
        with pytest.raises(Failed, match="pg_control"):
            received.check(place)
        assert len(base.bases(place)) == 1 + received.MOST
    finally:
        control.write_bytes(was)

    received.check(place)
    assert len(base.bases(place)) == received.MOST


@pytest.mark.report(
    "cloudnative-pg/cloudnative-pg#625",
    "the storage of the backups opens the data folder to others, and the restored server refuses to start",
    "a restore gives the folder to its owner alone",
)
def test_folder_that_is_open_to_others_becomes_a_server(trial):
    assert ask(trial, "SHOW data_directory_mode") == [("0700",)]


@pytest.mark.report(
    "teslamate-org/teslamate#3717",
    "the restored server has another C library: it sorts text otherwise than the indexes that it got",
    "the night is bad, and names the databases",
)
@pytest.mark.report(
    "OPMDG/check_pgactivity#268",
    "the collation of a single column is of another version of its library, and nobody looks",
    "the night is bad, and names the tables whose indexes have that order",
)
def test_text_that_is_sorted_otherwise_here_makes_the_night_bad(place):
    place.sql(
        "CREATE DATABASE other TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
    )
    place.sql("UPDATE pg_database SET datcollversion = '0' WHERE datname = 'other'")
    place.sql("CREATE COLLATION another (PROVIDER = builtin, LOCALE = 'C.UTF-8')")
    place.sql("CREATE TABLE names (name text COLLATE another PRIMARY KEY)")
    place.sql("UPDATE pg_collation SET collversion = '0' WHERE collname = 'another'")
    try:
        with pytest.raises(Failed, match="otherwise here than in the indexes of other, names"):
            proved(place)
    finally:
        place.sql("DROP TABLE names; DROP COLLATION another")
        place.sql("DROP DATABASE other")


def test_base_without_its_label_is_not_restored_and_stands_in_no_other_ones_way(place):
    whole = base.newest(place)
    other = whole.with_name("2098-01-01T000000.000000")
    place.run("cp", "-al", whole, other)
    (other / "backup_label").unlink()
    try:
        assert base.newest(place) == whole
        with pytest.raises(Failed, match="does not say where its log begins"):
            base.first_segment(other)
        with pytest.raises(Failed, match="backup_label"):
            proved(place)
    finally:
        place.run("rm", "-r", other)


@pytest.mark.report(
    "dbeaver/dbeaver#8143",
    "what the connection demands of TLS does not reach pg_dump, which goes on without",
    "it reaches each of PostgreSQL's programs",
)
def test_programs_ask_for_tls_as_the_address_does(place):
    safe = replace(place, server=place.server | {"sslmode": "require"})

    with pytest.raises(
        Failed, match="SSL"
    ):  # of the server, or of a program that was built without
        safe.run("pg_basebackup", "--pgdata", place.folder.with_name("clear"))


@pytest.mark.report(
    "cloudnative-pg/cloudnative-pg#10442",
    "the server was promoted since the base backup, and the restore does not find its second timeline",
    "the log of both is received, and restored",
)
def test_restored_server_goes_on_and_is_kept_again(place):
    """It has another timeline, and no slot: what was kept of the old one is moved aside."""
    moment, position, was = proof.pinned(place)
    wait_until(lambda: log.is_received(place, position))
    root = place.folder.parent
    with draft(place, root / "again") as folder:
        with replayed(place, base.newest(place), log.folder(place), folder, moment):
            pass
        # A socket's path has room for 107 bytes, which a folder for tests may need alone.
        door = Path(place.run("mktemp", "-d").strip())
        place.run("mkdir", root / "second")
        options = "-h", "", "-k", door, "-p", "5432", "-c", "archive_mode=off", "-c", "fsync=off"
        live = place.start(root / "again.log", "postgres", "-D", folder, *options)
        server = {**place.server, "host": str(door), "port": "5432"}
        second = Place(root / "second", place.programs, server)
        try:
            wait_until(lambda: answers(second.server))
            log.reserve(second)
            [[first]] = second.sql("SELECT pg_walfile_name(pg_current_wal_lsn())")
            # Until somebody comes, the server keeps what it would throw away; nobody confirms a commit yet.
            write = "CREATE TABLE later (); SELECT pg_switch_wal(); DROP TABLE later"
            for _ in range(3):
                second.sql(f"SET synchronous_commit = local; {write}")
                second.sql("CHECKPOINT")
            with receiving(second):
                wait_until(lambda: (log.folder(second) / first).exists())
                base.take(second)
            live.send_signal(signal.SIGINT)
            live.wait()
            place.run("touch", folder / "standby.signal")
            live = place.start(root / "again.log", "postgres", "-D", folder, *options)
            wait_until(lambda: answers(second.server))
            place.run("pg_ctl", "promote", "-D", folder)
            with receiving(second):
                proved(second)
                timeline = "SELECT timeline_id FROM pg_control_checkpoint()"
                assert ask(second.server, timeline) == [(3,)]
        finally:
            live.send_signal(signal.SIGINT)
            live.wait()
            place.run("rm", "-r", root / "second", door)
    assert was["public.booked"][0] >= 10


@pytest.mark.report(
    "EnterpriseDB/barman#223",
    "the server has thrown away log that was not received, and nobody can go on from there",
    "the night is bad; a new place with a new base backup is kept again",
)
def test_log_that_the_server_has_thrown_away_makes_the_night_bad(place, monkeypatch):
    said = place.folder.with_name("said")
    place.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    place.sql("SELECT pg_reload_conf()")
    place.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
    wait_until(lambda: not log.is_received(place))
    for _ in range(3):
        place.sql("SET synchronous_commit = local; CREATE TABLE later (); DROP TABLE later")
        place.sql("SELECT pg_switch_wal()")
        place.sql("CHECKPOINT")
    assert place.sql("SELECT wal_status FROM pg_replication_slots") == [("lost",)]

    assert place.start(said, *log.receiver(place)).wait() != 0
    assert "keeper" in said.read_text(encoding="utf-8")
    monkeypatch.setattr(proof, "RECEIVED_SECONDS", 0.1)
    with pytest.raises(Failed, match="was not received"):
        proved(place)

    monkeypatch.undo()
    place.sql("ALTER SYSTEM RESET max_slot_wal_keep_size")
    place.sql("SELECT pg_reload_conf()")
    place.sql("SELECT pg_drop_replication_slot(%s)", log.NAME)
    second = replace(place, folder=place.folder.with_name("second"))
    place.run("mkdir", second.folder)
    log.reserve(second)
    with receiving(second):
        base.take(second)
        proved(second)
        place.sql("ALTER SYSTEM RESET synchronous_standby_names")
        place.sql("SELECT pg_reload_conf()")
