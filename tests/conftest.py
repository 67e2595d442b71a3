"""Options, stacks and the closing list of the shared suite."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, settings

from nexus import catalog
from nexus.catalog import Example
from nexus.coverage import Watch
from nexus.environment import ensure_environment
from nexus.experiment import until
from nexus.mine import NAME as MINE
from nexus.mine import Mine, is_written
from nexus.prove import proof_stack
from nexus.stacks import outside
from nexus.stacks.base import StackError
from nexus.stacks.compose import ComposeStack, engine_problem
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.offered import unprovable
from nexus.stacks.ports import Ports

# The solution under a reader's name: the claims judge that as they judge the solution.
SOLVED = "exercises.solved"
TOYS = Path(__file__).parent / "examples"
# A busy machine may stop a test anywhere; what it takes says nothing about what it finds.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
# Those that take longest begin first: one that began last would leave the other processes without work.
LONGEST = (
    "test_lab_browser",
    "test_examples",
    "test_hub",
    "test_embedded_stack",
    # Each process is given a second file at its start: short ones, and the rest goes to who is ready for it.
    "test_contributing",
    "test_coverage",
    "test_modules",
    "test_cli",
    "test_compose_stack",
    "test_lab_export",
    "test_web_server",
    "test_mine",
    "test_lab_runs",
    "test_bench",
    "test_lab_server",
    "test_lab_pages",
    "test_api_contracts",
    "test_query_optimization",
    "test_schema_changes",
    "test_rate_limiting",
    "test_load",
    "test_proxies",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--example", help="only what concerns this example")
    parser.addoption("--stack", choices=["embedded", "compose"], help="only this stack")
    parser.addoption(
        "--every-claim",
        action="store_true",
        help="judge each exercise by the claims that it does not name, too: minutes an example",
    )


def pytest_configure(config: pytest.Config) -> None:
    name = config.getoption("--example")
    config.stash[WATCHES] = {}
    try:
        config.stash[CHOSEN] = [catalog.example(name)] if name else catalog.examples()
    except catalog.UnknownName as error:
        raise pytest.UsageError(str(error)) from None


CHOSEN = pytest.StashKey[list[Example]]()
WATCHES = pytest.StashKey[dict[str, Watch]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = metafunc.config.stash[CHOSEN]
    if "claim" in metafunc.fixturenames:
        cases = [
            case
            for example in chosen
            for kind in stacks(metafunc.config)
            for case in claims(example, kind)
        ]
        metafunc.parametrize(("stack", "claim"), cases, indirect=["stack"], scope="session")
    elif "watch" in metafunc.fixturenames:
        cases = [
            (example, "embedded") for example in chosen if "embedded" in stacks(metafunc.config)
        ]
        names = [example.name for example, _ in cases]
        metafunc.parametrize("stack", cases, indirect=True, scope="session", ids=names)
    elif "example" in metafunc.fixturenames:
        metafunc.parametrize("example", chosen, ids=[example.name for example in chosen])


@pytest.hookimpl(trylast=True)  # after pytest has brought equal parameters together
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first; on each stack the solution, then what that has reached, then other variants.

    With --example, the harness's own tests are left to a run without it.
    """
    proving = [item for item in items if {"claim", "watch"} & set(item.fixturenames)]
    # Where the embedded stack is left out, pytest makes an item without one for what is watched on it.
    on_a_stack = [item for item in proving if isinstance(item.callspec.params["stack"], tuple)]
    driving = sorted(on_a_stack, key=turn)
    others = [item for item in items if item not in proving]
    if config.getoption("--example"):
        name = config.getoption("--example")
        concerned = [
            item for item in others if "example" in item.fixturenames or beside(item) == name
        ]
        config.hook.pytest_deselected(items=[item for item in others if item not in concerned])
        others = concerned
    items[:] = [*sorted(others, key=length), *driving]


def beside(item: pytest.Item) -> str:
    """The example beside whose stack the commands of a page are run; nothing if it is another test."""
    callspec = getattr(item, "callspec", None)
    return callspec.params["shell"][1] if callspec and "shell" in callspec.params else ""


def length(item: pytest.Item) -> int:
    return LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)


def turn(item: pytest.Item) -> tuple[str, str, int]:
    example, kind = item.callspec.params["stack"]
    if "claim" not in item.callspec.params:
        return example.name, kind, 1
    experiment, variant, _ = item.callspec.params["claim"]
    return example.name, kind, 0 if variant in (experiment.solution(), MINE) else 2


def stacks(config: pytest.Config) -> list[str]:
    only = config.getoption("--stack")
    return [only] if only else ["embedded", "compose"]


def claims(example: Example, kind: str) -> list[Any]:
    """Every claim with every variant that it names."""
    return [
        pytest.param(
            (example, kind),
            # With the stack: pytest brings equal values of a session's parameter together, and
            # would start each stack again for each claim.
            (experiment, variant, kind),
            id=f"{example.name}-{kind}-{experiment.slug}-{variant}",
            marks=[pytest.mark.compose] if kind == "compose" else [],
        )
        for experiment in example.experiments.values()
        if not unprovable(experiment, kind)
        for variant in (
            *experiment.variants(),
            *([MINE] if solved(example, kind) else ()),
        )
    ]


def solved(example: Example, kind: str) -> bool:
    """Whether the solution is judged under a reader's name, too."""
    return kind == "embedded" and (example.path / f"{SOLVED.replace('.', '/')}.py").exists()


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedStack | ComposeStack]:
    """One stack for all experiments of an example; every experiment leaves it healed."""
    example, kind = request.param
    if kind == "compose" and (problem := engine_problem()):
        pytest.skip(problem)
    watch = None
    if kind == "embedded":
        watch = Watch(example, tmp_path_factory.mktemp("coverage"))
        request.config.stash[WATCHES][example.name] = watch
    try:
        mine = Mine(example, SOLVED) if solved(example, kind) else None
        with proof_stack(example, kind, watch=watch, mine=mine) as running:
            yield running
    except StackError as error:
        pytest.fail(f"{error}\n{error.log}", pytrace=False)


@pytest.fixture
def watch(stack: EmbeddedStack, request: pytest.FixtureRequest) -> Watch:
    """Follows the processes of the stack, which is the embedded one."""
    return request.config.stash[WATCHES][stack.example.name]


@pytest.fixture(scope="session")
def copy_of() -> Callable[[Example, Path], Example]:
    """Copies an example into a folder, without what was compiled and what a reader has written."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        return [each for each in names if each == "__pycache__" or is_written(Path(folder, each))]

    def copy(example: Example, folder: Path) -> Example:
        return Example(Path(shutil.copytree(example.path, folder / example.name, ignore=left_out)))

    return copy


@pytest.fixture
def port() -> Iterator[int]:
    """A port that no other test takes meanwhile."""
    ports = Ports()
    yield ports.take()
    ports.give_back()


# PgBouncer and PostgreSQL refuse to run as root.
SOMEBODY: dict[str, Any] = (
    {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
)


@contextmanager
def somebodys(prefix: str) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix=prefix))
    if SOMEBODY:
        shutil.chown(place, SOMEBODY["user"], SOMEBODY["group"])
    try:
        yield place
    finally:
        shutil.rmtree(place)


@contextmanager
def serving(command: list[str], url: str, log: Path) -> Iterator[str]:
    """Run a database server as somebody who may, once a connection to it has been had."""
    with log.open("w") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said, **SOMEBODY)
    try:
        assert until(lambda: answered(url), 60), log.read_text()
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)


def answered(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedStack]:
    """A stack with the data of the module's EXAMPLE."""
    ensure_environment(request.module.EXAMPLE)
    state = tmp_path_factory.mktemp("deployed") / "stack"
    with EmbeddedStack(request.module.EXAMPLE, state).temporarily() as stack:
        yield stack


type Pooler = Callable[[str, int], AbstractContextManager[str]]
type Replica = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def pooler(port: int, tmp_path: Path) -> Pooler:
    """A function that puts PgBouncer, one server connection a transaction, before a database."""
    if not shutil.which("pgbouncer"):
        pytest.skip("no pgbouncer on the PATH")

    @contextmanager
    def before(direct: str, size: int) -> Iterator[str]:
        parts = urlsplit(direct)
        with somebodys("pooler-") as place:
            (place / "pgbouncer.ini").write_text(
                f"[databases]\nflights = host=127.0.0.1 port={parts.port} dbname={parts.path[1:]}"
                f" user={parts.username} password={parts.password}\n"
                f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
                f"auth_type = any\npool_mode = transaction\ndefault_pool_size = {size}\n"
                "ignore_startup_parameters = options\n"
            )
            command = ["pgbouncer", str(place / "pgbouncer.ini")]
            url = f"postgres://{parts.username}@127.0.0.1:{port}/flights"
            with serving(command, url, tmp_path / "pooler.log"):
                yield url

    return before


@pytest.fixture
def replica(port: int, tmp_path: Path) -> Replica:
    """A function that starts a streaming replica of a stack's database, with settings."""

    @contextmanager
    def of(stack: EmbeddedStack, *settings: str) -> Iterator[str]:
        direct = stack.services["postgres"]
        programs = Path(psutil.Process(stack.children()["postgres"].pid).exe()).parent
        netloc = f"{urlsplit(direct).netloc.rpartition(':')[0]}:{port}"
        with somebodys("replica-") as place:
            data = str(place / "data")
            backup = [str(programs / "pg_basebackup"), "-D", data, "-d", direct]
            backup += ["-R", "-X", "stream", "-c", "fast"]
            subprocess.run(backup, check=True, timeout=180, **SOMEBODY)
            command = [str(programs / "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1"]
            command += ["-k", "", *(part for each in settings for part in ("-c", each))]
            url = urlsplit(direct)._replace(netloc=netloc).geturl()
            with serving(command, url, tmp_path / "replica.log"):
                yield url

    return of


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter.

    Of those above `tmp_path` some are for all tests, and pytest closes them at the start of each session.
    """
    with TemporaryDirectory() as made:
        folder = Path(made).resolve()
        folder.chmod(0o755)
        yield folder
        outside.remove_below(folder)


@pytest.fixture(scope="session")
def needs_engine() -> None:
    if problem := engine_problem():
        pytest.skip(problem)


@pytest.fixture(scope="session", autouse=True)
def nothing_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Of stacks in temporary folders nothing stays outside of these."""
    yield
    outside.remove_below(tmp_path_factory.getbasetemp())


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Example:
    """The smallest example, with a state folder of its own."""
    monkeypatch.setattr("nexus.environment.STATE", tmp_path)
    return Example(TOYS / "toy")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI nothing is left out: a skip is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was left out, and CI leaves nothing out: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End with what this machine could not verify, and why."""
    left_out: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        left_out.setdefault(reason, []).append(report.nodeid)
    terminalreporter.section("not verified on this machine")
    for reason, nodes in left_out.items():
        terminalreporter.write_line(f"{len(nodes)} test(s): {reason}")
        for node in nodes:
            terminalreporter.write_line(f"  {node}")
    if not left_out:
        terminalreporter.write_line("nothing was left out")
