"""The journal and its lock, whoever dies with them."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from releases import Journal, Refused, Release, State

LIVE = State("blue_green", (15001, 15002), Release(7, "good", 15002), last=9)


def test_what_was_written_is_read(tmp_path):
    journal = Journal(tmp_path)
    with pytest.raises(Refused, match="no release is live"):
        journal.read()

    for state in (LIVE, replace(LIVE, other=Release(10, "next", 15001), step="gating")):
        assert journal.write(state) == state
        assert journal.read() == state


def test_next_release_gets_the_free_place_and_a_number_of_its_own():
    assert LIVE.next("next") == Release(10, "next", 15001)


def test_each_step_is_told_once_it_is_written(tmp_path):
    seen = []
    journal = Journal(tmp_path, lambda step: seen.append((step, Journal(tmp_path).read().step)))

    journal.write(replace(LIVE, step="gating"))

    assert seen == [("gating", "gating")]


def test_who_reads_while_it_is_written_reads_a_whole_one(tmp_path):
    journal, over, seen = Journal(tmp_path), threading.Event(), set()
    journal.write(LIVE)
    reader = threading.Thread(
        target=lambda: [seen.add(journal.read().last) for _ in iter(over.is_set, True)]
    )
    reader.start()
    for last in range(300):
        journal.write(replace(LIVE, last=last))
    over.set()
    reader.join()

    assert seen <= set(range(300)) | {LIVE.last}
    assert journal.read().last == 299


def test_draft_that_a_killed_switch_left_is_nothing(tmp_path):
    journal = Journal(tmp_path)
    journal.write(LIVE)
    (tmp_path / "journal.draft").write_text('{"way": "blue_g')

    assert journal.read() == LIVE
    assert journal.write(replace(LIVE, last=10)) == journal.read()


@pytest.mark.report(
    "influxdata/telegraf#14935",
    "the file with its state is empty, and the program does not start",
    "a damaged journal is told in a sentence, and the service begins as one without",
)
@pytest.mark.parametrize(
    "text", ["", '{"way": "blue_g', "[]", "null", "{}", '{"other": 1}', "\udcff"]
)
def test_damaged_journal_is_refused(tmp_path, text):
    (tmp_path / "journal.json").write_text(text, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(Refused, match="the journal cannot be read"):
        Journal(tmp_path).read()


@pytest.mark.report(
    "docker-archive-public/docker.machine#3434",
    "the disk is full, and files that are rewritten are left empty",
    "what was written before stands, and the switch is refused in a sentence",
)
def test_full_disk_is_refused_and_leaves_what_was_written(tmp_path):
    journal = Journal(tmp_path)
    journal.write(LIVE)
    (tmp_path / "journal.draft").symlink_to("/dev/full")

    with pytest.raises(Refused, match="the journal cannot be written: No space left on device"):
        journal.write(replace(LIVE, last=10))

    assert journal.read() == LIVE


@pytest.mark.report(
    "npm/write-file-atomic#64",
    "the power fails after a file was renamed, and the old one is back",
    "whoever has written waits for the folder, too",
)
def test_new_name_is_on_the_disk_before_the_step_is_taken(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def watched(number):
        fsync(number)
        at = Path(f"/proc/self/fd/{number}").readlink()
        synced.append((at.name, (tmp_path / "journal.json").exists()))

    monkeypatch.setattr(os, "fsync", watched)
    Journal(tmp_path, lambda step: synced.append(step)).write(LIVE)

    assert synced == [("journal.draft", False), (tmp_path.name, True), "steady"]


@pytest.mark.report(
    "basecamp/kamal#689",
    "two deployments at the same time: many things could go wrong",
    "the second one is refused in a sentence",
)
def test_second_switch_at_the_same_time_is_refused(tmp_path):
    with (
        Journal(tmp_path).alone(),
        pytest.raises(Refused, match="another switch is under way"),
        Journal(tmp_path).alone(),
    ):
        pass


def test_lock_of_a_killed_switch_is_free(tmp_path):
    hold = (
        "import pathlib, sys; from releases import Journal\n"
        "with Journal(pathlib.Path(sys.argv[1])).alone():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(Refused), Journal(tmp_path).alone():
            pass
        holder.send_signal(signal.SIGKILL)

    with Journal(tmp_path).alone():
        pass
