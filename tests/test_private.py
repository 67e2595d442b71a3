"""What others may not read they cannot, and what others laid out is not used."""

import os
import stat

import pytest

from nexus import private, surroundings
from nexus.catalog import Example
from nexus.environment import state_dir
from nexus.stacks import outside, ports
from nexus.stacks.outside import taken
from nexus.stacks.ports import Ports, forget_unused
from nexus.stacks.state import secret, write_state


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_state_of_a_stack_is_its_owners_alone(toy: Example):
    (state := state_dir(toy)).chmod(0o755)  # as it was made once
    write_state(state, {"services": {}})
    secret(state, "staff_token")

    assert mode(state_dir(toy)) == 0o700
    assert mode(state / "stack.json") == mode(state / "staff_token") == 0o600


@pytest.mark.usefixtures("umask")
def test_folders_outside_are_open_to_other_users_and_closed_ones_are_mended(tmp_path, monkeypatch):
    monkeypatch.setattr(outside, "BASE", tmp_path / "outside")
    for _ in range(2):
        with taken(tmp_path / "data") as path:
            assert mode(path.parent) == mode(outside.BASE) == 0o755
            path.parent.chmod(0o700)
            outside.BASE.chmod(0o700)


def test_link_among_the_locks_of_ports_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "RESERVED", tmp_path / "ports")
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    (tmp_path / "ports").mkdir()
    looked = Ports()
    free = looked.take()
    looked.give_back()
    (tmp_path / "ports" / str(free)).symlink_to(victim)

    taken = Ports()
    try:
        assert taken.take(free) != free
    finally:
        taken.give_back()

    assert victim.read_text(encoding="utf-8") == "precious"


def test_folder_of_locks_that_is_a_link_or_open_to_others_is_not_used_as_it_is(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ports, "RESERVED", tmp_path / "ports")
    (tmp_path / "elsewhere").mkdir()
    ports.RESERVED.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="is not a folder of yours: remove it"):
        Ports().take()
    with pytest.raises(PermissionError, match="is not a folder of yours"):
        forget_unused()
    assert list((tmp_path / "elsewhere").iterdir()) == []

    ports.RESERVED.unlink()
    ports.RESERVED.mkdir()
    ports.RESERVED.chmod(0o777)
    held = Ports()
    held.take()
    held.give_back()
    assert mode(ports.RESERVED) == 0o700


def test_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    folder = private.make_folder(tmp_path / "mine")
    monkeypatch.setattr(private.os, "geteuid", lambda: os.getuid() + 1)

    with pytest.raises(PermissionError, match="or run as the user whose it is"):
        private.make_folder(folder)


def test_loopback_is_spared_by_every_proxy_and_libpq_is_told_nothing():
    environ = {
        "http_proxy": "http://proxy:3128",
        "NO_PROXY": "corp.example, localhost",
        "PGSSLMODE": "require",
        "PGPASSFILE": "/dev/null",
        "PAGER": "less",
    }

    surroundings.neutralise(environ)

    spared = "corp.example,localhost,127.0.0.1,::1"
    assert environ == {
        "http_proxy": "http://proxy:3128",
        "no_proxy": spared,
        "NO_PROXY": spared,
        "PAGER": "less",
    }
