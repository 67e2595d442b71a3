"""HAProxy and nginx in front of the web process of an example, from one configuration on both stacks."""

import json
import shutil
from pathlib import Path

import psutil
import pytest

from nexus.catalog import Example
from nexus.environment import state_dir
from nexus.experiment import ask
from nexus.stacks.base import StackError
from nexus.stacks.compose import ComposeStack, engine_problem
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import wait_until
from nexus.stacks.state import project

PROXIES = ("haproxy", "nginx")
CLIENT = "198.18.0.7"


@pytest.fixture
def proxied(monkeypatch, tmp_path) -> Example:
    monkeypatch.setattr("nexus.environment.STATE", tmp_path)
    return Example(Path(__file__).parent / "proxies" / "proxied")


@pytest.fixture
def stack(proxied: Example):
    with EmbeddedStack(proxied, state_dir(proxied)) as running:
        yield running


def reached(stack: EmbeddedStack | ComposeStack, proxy: str) -> dict[str, object]:
    """Ask through the proxy, as a client whom another proxy has named."""
    answer = ask(f"{stack.services[proxy]}/", {"X-Forwarded-For": CLIENT}, timeout_seconds=60)
    assert answer.status == 200, answer
    return json.loads(answer.body)


@pytest.mark.parametrize("proxy", PROXIES)
def test_request_reaches_the_web_process_with_the_address_that_the_proxy_adds(stack, proxy):
    told = reached(stack, proxy)

    assert told["pid"] == stack.children()["web.1"].pid
    assert ", ".join(told["for"]) == f"{CLIENT}, 127.0.0.1"


@pytest.mark.parametrize("proxy", PROXIES)
def test_proxy_can_be_stopped_killed_and_paused(stack, proxy):
    for hurt in (stack.stopped, stack.killed):
        family = [psutil.Process(stack.children()[proxy].pid)]
        family += family[0].children(recursive=True)
        with hurt(proxy):
            assert ask(stack.services[proxy]).status == 0
            assert wait_until(lambda: not any(one.is_running() for one in family), 60)  # noqa: B023
        assert reached(stack, proxy)

    with stack.paused(proxy):
        assert ask(stack.services[proxy], timeout_seconds=1).status == 0
    assert reached(stack, proxy)


def test_no_proxy_runs_as_root(stack):
    for proxy in PROXIES:
        root = psutil.Process(stack.children()[proxy].pid)
        assert all(0 not in one.uids() for one in [root, *root.children(recursive=True)])


def test_configuration_that_is_wrong_is_told_by_the_proxy(proxied, tmp_path):
    for name, file in (("haproxy", "haproxy.cfg"), ("nginx", "nginx.conf")):
        broken = Example(shutil.copytree(proxied.path, tmp_path / f"broken-{name}"))
        (broken.path / name / file).write_text("nonsense here;\n")
        with (
            pytest.raises(StackError, match=f"{name} ended with exit code 1") as refused,
            EmbeddedStack(broken, state_dir(broken)),
        ):
            pass
        assert "nonsense" in refused.value.log


@pytest.mark.compose
def test_containers_take_the_same_configuration(proxied, tmp_path):
    if problem := engine_problem():
        pytest.skip(problem)
    with ComposeStack(proxied, tmp_path / "stack", project("test-proxied")) as stack:
        for proxy in PROXIES:
            first, second = ", ".join(reached(stack, proxy)["for"]).split(", ")
            assert first == CLIENT
            assert second.startswith(("172.", "192.168."))
