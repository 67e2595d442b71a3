"""The key file: what is wrong with it is one sentence, and a turn takes its time."""

import json
import os

import pytest
from sessions.key_file import KeyFile, parse
from sessions.keys import Keys, new

NOW = 1_800_000_000


@pytest.fixture
def file(tmp_path):
    file = KeyFile(tmp_path / "keys.json")
    file.write(lambda: Keys([new("signing", NOW)]))
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
    ],
)
def test_a_malformed_file_is_one_sentence_that_quotes_nothing(tmp_path, text):
    message = said(tmp_path, text)

    assert "it is no list of keys" in message or "0 keys are signing" in message


def test_unknown_states_and_two_signing_keys_are_named(tmp_path):
    assert "'asleep' is no state" in said(tmp_path, json.dumps([GOOD | {"state": "asleep"}]))
    assert "2 keys are signing" in said(tmp_path, json.dumps([GOOD, GOOD | {"kid": "b"}]))


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

    file.write(lambda: before.publish(NOW))
    assert len(file.keys().all) == 2


def test_a_file_that_gets_broken_leaves_the_keys_of_before(file, caplog):
    before = file.keys()
    file.path.write_text("{")
    os.utime(file.path, (1, 1))

    assert file.keys().signing == before.signing
    assert "the keys of before are used" in caplog.text


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
