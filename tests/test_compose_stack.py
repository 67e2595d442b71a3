"""The compose stack: the same hands as the embedded one, on containers."""

import json
import re
import subprocess
import urllib.request
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from nexus import catalog
from nexus.experiment import Request, volley
from nexus.prove import proof_stack
from nexus.stacks.base import StackError
from nexus.stacks.compose import ComposeStack, engine_problem
from nexus.stacks.processes import wait_until
from nexus.stacks.state import project

pytestmark = pytest.mark.compose


@pytest.fixture(scope="module")
def stack():
    if problem := engine_problem():
        pytest.skip(problem)
    try:
        with proof_stack(catalog.example("rate_limiting"), "compose") as running:
            yield running
    except StackError as error:
        pytest.fail(f"{error}\n{error.log}", pytrace=False)


@pytest.fixture
def client(stack: ComposeStack):
    with redis.Redis.from_url(stack.services["redis"], socket_timeout=20, retry=None) as client:
        yield client


def healthy(stack: ComposeStack) -> bool:
    with urllib.request.urlopen(f"{stack.url}/healthz", timeout=20) as response:
        return response.status == 200


def containers(stack: ComposeStack, service: str) -> list[str]:
    return [name for name, one in stack.programs().items() if one["service"] == service]


def test_stopped_service_refuses_and_is_back_at_the_same_address(stack, client):
    with (
        stack.stopped("redis"),
        pytest.raises(redis.ConnectionError, match=r"refused|closed|reset"),
    ):
        client.ping()

    stack.wait_ready()
    assert client.ping()


def test_user_without_the_password_is_refused_and_writes_nothing(stack, client):
    port = urlsplit(stack.services["redis"]).port

    for password in (None, "nexus"):  # that of compose.yml
        with redis.Redis(port=port, password=password, retry=None) as stranger:
            for command in (("SET", "planted", "pickle"), ("PING",)):
                with pytest.raises(redis.AuthenticationError):
                    stranger.execute_command(*command)

    assert client.get("planted") is None


def test_services_alone_are_there_for_a_benchmark(tmp_path):
    if problem := engine_problem():
        pytest.skip(problem)
    example = catalog.example("rate_limiting")
    name = project("test-services")

    with ComposeStack(example, tmp_path / "stack", name, services_only=True) as services:
        with redis.Redis.from_url(services.environment()["REDIS_URL"]) as client:
            assert client.ping()
        assert [one["service"] for one in services.programs().values()] == ["redis"]


def test_paused_service_hangs_and_answers_after(stack, client):
    url = stack.services["redis"]
    with (
        redis.Redis.from_url(url, socket_timeout=0.5, retry=None) as hasty,
        stack.paused("redis"),
        pytest.raises(redis.TimeoutError),
    ):
        hasty.ping()

    assert client.ping()


def test_heal_undoes_every_fault(stack, client):
    stack.kill("redis")
    stack.stop("web")

    stack.heal()

    assert client.ping()
    assert healthy(stack)


def test_scaled_processes_are_taken_back_by_heal(stack):
    before = len(containers(stack, "web"))
    stack.scale("web", before + 1)
    assert len(containers(stack, "web")) == before + 1

    stack.heal()

    assert len(containers(stack, "web")) == before
    assert healthy(stack)


def test_manage_runs_inside_the_stack(stack):
    assert "no issues" in stack.manage("check")


def test_manage_that_fails_says_so(stack):
    with pytest.raises(StackError, match=r"manage\.py nonsense failed"):
        stack.manage("nonsense")


def test_manage_that_does_not_end_is_ended_in_its_container(stack, monkeypatch):
    monkeypatch.setattr(stack, "manage_seconds", 5)
    sleep = "import time; time.sleep(3600)"

    with pytest.raises(StackError, match=r"manage\.py shell .* did not end within 5 s"):
        stack.manage("shell", "-c", sleep)

    for container in containers(stack, "web"):
        top = ["docker", "top", container, "-eo", "pid,args"]
        shown = subprocess.run(top, capture_output=True, check=True, text=True, timeout=60)
        assert "manage.py" not in shown.stdout


def test_containers_run_as_nobody_special_and_write_nowhere(stack):
    for name in stack.programs():
        shown = subprocess.run(
            [
                "docker",
                "exec",
                name,
                "sh",
                "-c",
                "id -u; touch /forbidden 2>&1; grep CapEff /proc/1/status",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        user, refusal, capabilities = shown.stdout.splitlines()

        assert user != "0", name
        assert "Read-only" in refusal, name
        assert int(capabilities.split()[1], 16) == 0, name


def test_nothing_is_left_after_close():
    if problem := engine_problem():
        pytest.skip(problem)
    with proof_stack(catalog.example("rate_limiting"), "compose") as stack:
        project = stack._compose.project

    for listing in ("ps --all", "network ls", "volume ls"):
        found = subprocess.run(
            [
                "docker",
                *listing.split(),
                "-q",
                "--filter",
                f"label=com.docker.compose.project={project}",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout == ""


@pytest.fixture(scope="module")
def broker():
    """async_tasks on RabbitMQ."""
    if problem := engine_problem():
        pytest.skip(problem)
    with proof_stack(catalog.example("async_tasks"), "compose") as stack:
        yield stack


@pytest.fixture
def database(broker):
    with psycopg.connect(broker.services["postgres"], autocommit=True) as connection:
        yield connection


def asked_for(stack: ComposeStack, count: int, **more: object) -> list[str]:
    """Ask for as many reports, each a tenth of a second of work."""
    slow = {"airline": "HA", "month": 1, "drill": {"seconds": 0.1}, **more}
    request = Request(
        f"{stack.url}/api/durable/reports/",
        {"Content-Type": "application/json", "Authorization": f"Bearer {stack.staff_token}"},
        "POST",
        json.dumps(slow).encode(),
    )
    answers = volley([request] * count, processes=2, connections=8)
    return [json.loads(answer.body)["id"] for answer in answers]


def reports(database: psycopg.Connection, jobs: list[str]) -> tuple[int, int]:
    """Return how many of the jobs have a report, and how many reports they have."""
    query = "SELECT count(DISTINCT job_id), count(*) FROM reports_report WHERE job_id = ANY (%s)"
    return database.execute(query, [jobs]).fetchone()


def rabbitmqctl(stack: ComposeStack, *args: str) -> None:
    stack._run("exec", "-T", "rabbitmq", "rabbitmqctl", "--quiet", *args)


def test_messages_that_rabbitmq_refuses_stay_in_the_outbox(broker, database):
    """Each job goes alone here: a group of them would be one message."""

    def waiting() -> int:
        return database.execute(
            "SELECT count(*) FROM jobs_job WHERE finished_at IS NULL AND sent_at IS NULL"
        ).fetchone()[0]

    with broker.stopped("worker"):
        rabbitmqctl(broker, "set_policy", "few", "^jobs[.]bulk$", '{"max-length": 10}')
        jobs = asked_for(broker, 50)
        quick = asked_for(broker, 5, quick=True)
        assert wait_until(lambda: "jobs.bulk waits: MessageNacked" in broker.logs("relay"), 60)
        assert wait_until(lambda: reports(database, quick) == (5, 5), 60), "held up by the others"
        assert wait_until(lambda: waiting() < 50, 60)  # what was confirmed is forgotten
        assert waiting()
        rabbitmqctl(broker, "clear_policy", "few")
    assert wait_until(lambda: reports(database, jobs)[0] == 50, 60), reports(database, jobs)
    assert reports(database, jobs) == (50, 50)


def test_queue_with_other_arguments_holds_up_no_other(broker, database):
    with broker.stopped("worker"):
        broker.stop("relay")  # or it declares the queue again before the other one is there
        rabbitmqctl(broker, "delete_queue", "jobs.bulk")
        rabbitmqctl(broker, "eval", PLAIN_QUEUE)
        broker.start("relay")
        jobs, quick = asked_for(broker, 2), asked_for(broker, 5, quick=True)
        assert wait_until(lambda: reports(database, quick) == (5, 5), 60)
        assert wait_until(lambda: "jobs.bulk waits: PreconditionFailed" in broker.logs("relay"), 60)
        rabbitmqctl(broker, "delete_queue", "jobs.bulk")
    assert wait_until(lambda: reports(database, jobs) == (2, 2), 60), reports(database, jobs)


def test_queue_that_is_gone_loses_nothing_and_is_declared_again(broker, database):
    """RabbitMQ confirms what it cannot route; nobody else declares a queue whose worker is away."""
    first = asked_for(broker, 2)
    assert wait_until(lambda: reports(database, first) == (2, 2), 60)
    with broker.stopped("worker"):
        rabbitmqctl(broker, "delete_queue", "jobs.bulk")
        rabbitmqctl(broker, "eval", NO_EXCHANGE)
        jobs = asked_for(broker, 5)
        # Of the message that comes back, or of the sweep, which asks once a second how many wait.
        assert wait_until(lambda: GONE.search(broker.logs("relay")), 60)
    assert wait_until(lambda: reports(database, jobs)[0] == 5, 60), reports(database, jobs)
    assert reports(database, jobs) == (5, 5)


def test_alarm_of_rabbitmq_delays_jobs_and_nothing_else(broker, database):
    rabbitmqctl(broker, "set_vm_memory_high_watermark", "0.0000001")
    try:
        jobs = asked_for(broker, 5)
        assert wait_until(lambda: "jobs.bulk waits: TimeoutError" in broker.logs("relay"), 60)
    finally:
        rabbitmqctl(broker, "set_vm_memory_high_watermark", "0.6")
    assert wait_until(lambda: reports(database, jobs)[0] == 5, 60), reports(database, jobs)
    assert reports(database, jobs) == (5, 5)


def test_database_that_takes_no_writes_for_a_while_and_is_started_again(broker, database):
    jobs = asked_for(broker, 20)
    database.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    database.execute("SELECT pg_reload_conf()")
    assert wait_until(lambda: "read-only" in broker.logs("relay", "worker"), 60)
    database.execute("SET default_transaction_read_only = off")
    database.execute("ALTER SYSTEM RESET default_transaction_read_only")
    database.execute("SELECT pg_reload_conf()")
    broker.kill("postgres")
    broker.start("postgres")
    broker.wait_ready()
    with psycopg.connect(broker.services["postgres"], autocommit=True) as again:
        assert wait_until(lambda: reports(again, jobs)[0] == 20, 60), reports(again, jobs)
        assert reports(again, jobs) == (20, 20)


GONE = re.compile("jobs.bulk waits: (ChannelError|NotFound)")
NO_EXCHANGE = (
    'rabbit_exchange:delete(rabbit_misc:r(<<"/">>, exchange, <<"jobs">>), false, <<"test">>).'
)
PLAIN_QUEUE = (
    'rabbit_amqqueue:declare(rabbit_misc:r(<<"/">>, queue, <<"jobs.bulk">>), true, false, [], none, '
    '<<"test">>).'
)
