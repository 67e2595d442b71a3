"""What is kept, for how long, and whether it becomes the server that it was."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from flights.ways.received import restored
from hands import wait_until
from keep import log
from keep.base import bases, first_segment, newest, retire, take, verify
from keep.place import Failed, Place, connect
from restore.proof import contents, hold, proved
from restore.replay import replayed
from restore.server import reason


@pytest.fixture(scope="module")
def taken(received: Place) -> tuple[Path, list[list[str]]]:
    """Another base backup, and who received something at each look, until a look fell into its time."""
    query = "SELECT application_name FROM pg_stat_replication"
    seen = [[log.NAME]]
    with ThreadPoolExecutor(1) as pool, connect(received.server) as connection:
        while max(map(len, seen)) == 1:
            taking = pool.submit(take, received)
            while not taking.done():
                seen.append([name for (name,) in connection.execute(query)])
                time.sleep(0.01)
            base = taking.result()
    return base, seen


@pytest.mark.parametrize(
    ("name", "why"),
    [("global/pg_filenode.map", "checksum mismatch for file"), ("backup_manifest", "manifest")],
)
def test_base_with_another_byte_is_bad(received, name, why):
    file = bases(received)[-1] / name
    was = file.read_bytes()
    file.write_bytes(was[:100] + bytes([was[100] ^ 1]) + was[101:])
    try:
        with pytest.raises(Failed, match=why):
            proved(received)
    finally:
        file.write_bytes(was)


def test_log_with_a_gap_is_not_restored_in_silence(received):
    """Without a moment, PostgreSQL would take the gap for the end, and begin without what lies behind."""
    received.sql("SELECT pg_switch_wal()")
    first = log.folder(received) / first_segment(newest(received))
    wait_until(first.exists)
    aside = first.with_suffix(".aside")
    received.run("mv", first, aside)
    try:
        restoring = restored(received, received.folder / "restored", "")
        with pytest.raises(Failed, match=f"a gap: {first.name} is missing"), restoring:
            pass
    finally:
        received.run("mv", aside, first)


def test_one_row_of_another_value_is_another_table(received):
    with connect(received.server) as connection:
        before = contents(connection)
        connection.execute("UPDATE written SET id = -1 WHERE id = 1")
        after = contents(connection)
        connection.execute("UPDATE written SET id = 1 WHERE id = -1")

        assert [name for name in before if before[name] != after[name]] == ["public.written"]
        assert before["public.written"][0] == after["public.written"][0] == 1000
        assert contents(connection) == before


@pytest.mark.report(
    "PostgREST/postgrest#705",
    "a column is called as the query calls its table, and is taken for the whole row",
    "the checksum is that of the row, whatever its columns are called",
)
def test_column_that_is_called_as_the_query_calls_the_row_is_not_all_of_it(received):
    received.sql("CREATE TABLE many AS SELECT 1 AS each, 1 AS other")
    with connect(received.server) as connection:
        before = contents(connection)
        connection.execute("UPDATE many SET other = 2")
        after = contents(connection)
    received.sql("DROP TABLE many")

    assert before["public.many"] != after["public.many"]


@pytest.mark.report(
    "dimitri/pgcopydb#344",
    "a migration left a timeout with the role, and what reads all of a table is cancelled",
    "the night takes as long as it takes",
)
def test_timeout_of_the_role_ends_no_night(received):
    received.sql("ALTER ROLE CURRENT_USER SET statement_timeout = '1min'")
    try:
        with connect(received.server) as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("1min",)
            contents(connection)
            assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
    finally:
        received.sql("ALTER ROLE CURRENT_USER RESET statement_timeout")


def test_booking_that_waits_for_the_locks_goes_first(received):
    received.sql("CREATE TABLE a_first (id int)")
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'written'::regclass"
    with (
        connect(received.server) as booker,
        connect(received.server) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        booker.execute("BEGIN; LOCK TABLE written IN ROW EXCLUSIVE MODE")
        holding = pool.submit(hold, holder)
        wait_until(lambda: received.sql(waits))
        booker.execute("LOCK TABLE a_first IN ROW EXCLUSIVE MODE")  # no deadlock for the booker
        booker.execute("ROLLBACK")
        holding.result()
        holder.execute("ROLLBACK")
    received.sql("DROP TABLE a_first")


@pytest.mark.report(
    "wal-g/wal-g#694",
    "backups are told apart by times that may be wrong: the newest is taken for an old one, and goes",
    "their order is that of the log",
)
def test_newest_bases_stay_and_the_log_since_the_oldest_of_them(received, taken):
    second, _ = taken
    second = second.rename(second.with_name("2099-01-01T000000.000000"))  # then the clock went back
    third = take(received)
    received.sql("SELECT pg_switch_wal()")
    wait_until(lambda: (log.folder(received) / first_segment(third)).exists())

    retire(received, 2)

    kept = bases(received)
    assert kept == [second, third]
    assert newest(received) == third
    assert min(p.name for p in log.folder(received).glob("0*"))[:24] == first_segment(kept[0])
    for each in kept:
        verify(received, each)


@pytest.mark.report(
    "EnterpriseDB/barman#200",
    "the retention removes the backup that a restore is copying, and what it was to bring back is gone",
    "it stays, with its log, as long as it is being restored",
)
def test_base_that_is_being_restored_stays(received, taken):  # noqa: ARG001 -- there are two
    first, *_, newest = bases(received)
    with replayed(received, first, log.folder(received), received.folder / "trial"):
        retire(received, 1)
        assert bases(received) == [first, newest]
        assert list(log.folder(received).glob(f"{first_segment(first)}*"))
    received.run("rm", "-r", received.folder / "trial")

    retire(received, 1)
    assert bases(received) == [newest]


def test_nothing_but_the_receiver_is_called_so(taken):
    """The log that a base backup brings would be taken for the receiver's, and goes if the backup fails."""
    _, seen = taken

    assert {names.count(log.NAME) for names in seen} == {1}


@pytest.mark.report(
    "Aiven-Open/pghoard#363",
    "pg_receivewal left a file of odd size, and refuses to begin again",
    "it is moved aside, and received again",
)
def test_disk_that_was_full_stops_no_receiver(received):
    """It leaves a file of odd size; each commit would wait until somebody moves that away."""
    second = replace(received, folder=received.folder.with_name("odd"))
    received.run("mkdir", second.folder, second.folder / "log")
    received.sql("SET synchronous_commit = local; CREATE TABLE later (); DROP TABLE later")
    # Beside the one of the session: without its slot, and under a name that no commit waits for.
    words = [
        word for word in log.receiver(second) if word not in ("--slot", log.NAME, "--synchronous")
    ]
    words[words.index(f"application_name={log.NAME}")] = "application_name=odd"
    full = "sh", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$0" "$@"'  # an error at 32 KiB
    assert second.start(second.folder / "said", *full, *words).wait() == 1
    [odd] = log.folder(second).iterdir()
    assert 0 < odd.stat().st_size < 2**24
    receiver = second.start(second.folder / "said", *words)
    try:
        wait_until(lambda: (odd.exists() and odd.stat().st_size == 2**24) or receiver.poll())
        assert receiver.poll() is None, (second.folder / "said").read_text(encoding="utf-8")
        assert odd.with_name(f"{odd.name}.odd").exists()
    finally:
        receiver.terminate()
        receiver.wait()
        received.run("rm", "-r", second.folder)


def test_log_without_one_of_its_files_is_not_whole(tmp_path):
    names = [f"00000001{n:08X}{s:08X}" for n, s in ((0, 0xFE), (0, 0xFF), (1, 0), (1, 2))]
    for name in names:
        os.truncate(os.open(tmp_path / name, os.O_CREAT | os.O_WRONLY), 2**24)

    with pytest.raises(Failed, match="a gap: 000000010000000100000001 is missing"):
        log.require_whole(tmp_path, names[0])


@pytest.mark.parametrize("name", ["000000010000000000000001.partial", "000000010000000000000001"])
def test_log_that_does_not_reach_its_beginning_is_not_whole(tmp_path, name):
    with pytest.raises(Failed, match="a gap: 000000010000000000000001 is missing"):
        log.require_whole(tmp_path, "000000010000000000000001")

    (tmp_path / name).touch()
    log.require_whole(tmp_path, "000000010000000000000001")  # a base that was taken just now

    with pytest.raises(Failed, match="a gap: 000000010000000000000002 is missing"):
        log.require_whole(tmp_path, "000000010000000000000002")


def test_reason_of_a_server_is_no_answer_to_a_client(tmp_path):
    lines = "PANIC:  the reason", "FATAL:  the database system is shutting down", "LOG:  the end"
    (tmp_path / "log").write_text("\n".join(lines), encoding="utf-8")

    assert reason(tmp_path / "log") == "the server did not start: the reason"
