"""The key file: what is wrong with it is one sentence, and a turn takes its time."""

import errno
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sessions.key_file import KeyFile, parse
from sessions.keys import Keys, new

NOW = 1_800_000_000


@pytest.fixture
def file(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    file.write(Keys([new("signing", NOW)]))
    return file


def said(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ValueError, match=r"bad\.json: ") as found:
        KeyFile(path).keys()
    assert "\n" not in str(found.value)
    return str(found.value)


GOOD = {"kid": "a", "state": "signing", "since": 1.0, "seed": "A" * 43}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "{}",
        json.dumps([{"kid": "a"}]),
        json.dumps([GOOD | {"seed": "short"}]),
        json.dumps([GOOD | {"more": 1}]),
        json.dumps([GOOD | {"since": "yesterday"}]),
        json.dumps([GOOD | {"kid": ["a"]}]),
        json.dumps([GOOD | {"state": {}}]),
    ],
)
def test_a_malformed_file_is_one_sentence_that_quotes_nothing(tmp_path, text):
    message = said(tmp_path, text)

    assert "it is no list of keys" in message or "0 keys are signing" in message


def test_unknown_states_two_signing_keys_and_two_of_one_id_are_named(tmp_path):
    assert "'asleep' is no state" in said(tmp_path, json.dumps([GOOD | {"state": "asleep"}]))
    assert "2 keys are signing" in said(tmp_path, json.dumps([GOOD, GOOD | {"kid": "b"}]))
    assert "a key id comes twice" in said(tmp_path, json.dumps([GOOD, GOOD | {"state": "retired"}]))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"keys\.json: No such file"):
        KeyFile(tmp_path / "keys.json").keys()


def test_a_file_that_others_may_read_is_refused(file):
    file.path.chmod(0o644)

    with pytest.raises(ValueError, match="others than its owner may read it"):
        KeyFile(file.path).keys()


def test_a_written_file_is_nobody_elses(file):
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_change_is_seen_and_an_unknown_key_reads_nothing(file, monkeypatch):
    before = file.keys()
    reads = []
    monkeypatch.setattr("sessions.key_file.parse", lambda text: reads.append(text) or parse(text))
    for number in range(1_000):
        assert file.keys().verifying.get(str(number)) is None
    assert reads == []

    file.write(before.publish(NOW))
    assert len(file.keys().all) == 2


def broken(path):
    path.write_text("{")


def readable(path):
    path.chmod(0o644)  # its mtime stays


def missing(path):
    path.unlink()


@pytest.mark.parametrize("spoil", [broken, readable, missing])
def test_a_file_that_gets_bad_leaves_the_keys_of_before_and_is_told_once(file, spoil, caplog):
    before = file.keys()
    spoil(file.path)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: file.keys().signing, range(1_000)))
    assert set(found) == {before.signing}
    assert [
        record.message.endswith("the keys of before are used") for record in caplog.records
    ] == [True]

    file.write(Keys([new("signing", NOW)]))
    assert file.keys().signing != before.signing
    spoil(file.path)
    file.keys()
    assert len(caplog.records) == 2


def test_a_bad_file_is_read_once(file, monkeypatch):
    file.keys()
    reads = []
    monkeypatch.setattr("sessions.key_file.parse", lambda text: reads.append(text) or parse(text))
    broken(file.path)

    assert [file.keys() for _ in range(100)]
    assert len(reads) == 1


def test_a_file_that_could_not_be_opened_is_read_as_soon_as_it_can(file, monkeypatch, caplog):
    before = file.keys().signing
    file.write(Keys([new("signing", NOW)]))
    with monkeypatch.context() as patched:
        patched.setattr("sessions.key_file.parse", out_of_files)
        assert [file.keys().signing for _ in range(10)] == [before] * 10

    assert file.keys().signing != before
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def out_of_files(_text):
    raise OSError(errno.EMFILE, "Too many open files")


def test_no_step_is_taken_too_early():
    keys = Keys([new("signing", NOW)])
    with pytest.raises(ValueError, match="no key is published"):
        keys.sign(NOW, 300)

    published = keys.publish(NOW)
    with pytest.raises(ValueError, match="a key is published already"):
        published.publish(NOW)
    with pytest.raises(ValueError, match="wait another 1 s"):
        published.sign(NOW + 299, 300)

    signing = published.sign(NOW + 300, 300)
    with pytest.raises(ValueError, match="wait another 300 s"):
        signing.retire(NOW + 300, 300)
    states = [key.state for key in signing.retire(NOW + 600, 300).all]
    assert states == ["retired", "signing"]
