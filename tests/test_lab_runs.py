"""Stacks and runs behind the pages: states, queue, cancelling, faults; on real processes."""

import re
import threading
import time
from types import SimpleNamespace

import pytest

from nexus.experiment import Chart, Experiment, Series, Verdict, ask, clock_starts, rest
from nexus.lab.events import EventLog
from nexus.lab.runs import WAITING, Runs
from nexus.lab.stacks import Refused, Stacks, _links
from nexus.stacks.processes import wait_until
from nexus.stacks.state import AlreadyRuns


class Lab:
    """Stacks and runs without a server."""

    def __init__(self, example):
        self.example = example
        self.log = EventLog()
        self.stacks = Stacks([example], self.log)
        self.runs = Runs(self.stacks, self.log)

    def state(self):
        return self.stacks.describe("toy")["state"]

    def add(self, claim="it-keeps-answering", variants=("fast",), **params):
        experiment = self.example.experiment(claim)
        return self.runs.add("toy", experiment, variants, {**experiment.defaults(), **params})

    def described(self, run):
        return next(each for each in self.runs.describe() if each["id"] == run.number)

    def wait(self, run, *states, seconds=60):
        assert wait_until(lambda: run.state in states, seconds), self.described(run)

    def close(self):
        self.runs.close()
        self.stacks.close()


@pytest.fixture
def lab(toy, monkeypatch):
    monkeypatch.setattr("nexus.stacks.embedded.WEB_PORT", 0)
    opened = Lab(toy)
    yield opened
    opened.close()


@pytest.fixture
def started(lab):
    lab.stacks.start("toy")
    assert wait_until(lambda: lab.state() in ("running", "failed"), 60)
    assert lab.state() == "running", lab.stacks.describe("toy")
    return lab


def web(lab):
    return lab.stacks.places["toy"].stack.children()["web.1"]


def test_nothing_runs_on_a_stopped_example(lab):
    with pytest.raises(Refused, match="toy does not run here; start it first"):
        lab.add()


def test_a_claim_about_a_service_that_the_stack_lacks_is_refused(started, monkeypatch):
    experiment = started.example.experiment("it-keeps-answering")
    monkeypatch.setattr(experiment, "needs", ("redis", "kafka"))

    with pytest.raises(Refused, match="it-keeps-answering needs kafka, which the embedded stack"):
        started.add()


def test_a_start_that_fails_says_why_and_can_be_tried_again(lab, monkeypatch):
    monkeypatch.setenv("STAFF_TOKEN", "broken")
    lab.stacks.start("toy")
    assert wait_until(lambda: lab.state() == "failed", 60)

    described = lab.stacks.describe("toy")
    assert described["error"] == "toy refuses to start."
    assert "'10.0.0.0/99' is not a network" in described["log"]
    assert "running release" in described["steps"]

    monkeypatch.delenv("STAFF_TOKEN")
    lab.stacks.start("toy")
    assert wait_until(lambda: lab.state() == "running", 60)
    assert lab.stacks.describe("toy")["error"] == ""


def test_only_what_answers_is_linked_to(monkeypatch):
    missing = ("/api/docs/", "/api/redoc/")
    monkeypatch.setattr(
        "nexus.lab.stacks.ask",
        lambda url, **_: SimpleNamespace(status=404 if url.endswith(missing) else 200),
    )

    assert _links("http://here") == [
        ("API", "http://here/api/"),
        ("Metrics", "http://here/metrics"),
    ]


def test_a_second_start_is_refused(started):
    with pytest.raises(Refused, match="toy is running"):
        started.stacks.start("toy")


def test_a_stack_of_another_process_is_named_and_not_touched(started, toy):
    other = Stacks([toy], EventLog())
    try:
        with pytest.raises(AlreadyRuns):
            other.start_now("toy", lambda _: None)
    finally:
        other.close()

    assert started.state() == "running"
    assert web(started).alive


def test_a_program_that_dies_fails_the_example_with_its_last_lines(started):
    children = started.stacks.places["toy"].stack.children()
    children["web.1"].kill()

    assert wait_until(lambda: started.state() == "failed", 30)
    assert "web.1 ended with exit code -9" in started.stacks.describe("toy")["error"]
    assert not any(child.alive for child in children.values())


def test_a_run_judges_every_variant_and_draws_its_points(started):
    run = started.add(variants=("slow", "fast"), seconds=1)
    started.wait(run, "done")

    slow, fast = started.described(run)["lines"]
    assert (slow["verdict"]["holds"], fast["verdict"]["holds"]) == (False, True)
    assert [value for _, value in slow["points"]] == list(range(1, slow["samples"] + 1))
    assert [exchange["status"] for exchange in fast["exchanges"]] == [200]
    assert fast["exchanges"][0]["path"] == "/fast"
    assert "<svg" in started.runs.drawn(run.number)


def test_a_running_variant_is_judged_before_it_ends(started):
    run = started.add(variants=("slow",), seconds=30, pause=30)
    assert wait_until(lambda: run.lines[0].verdict is not None, 20)

    described = started.described(run)
    assert described["state"] == "running"
    assert described["lines"][0]["verdict"]["holds"] is False
    started.runs.cancel(run.number)


def test_runs_queue_up_in_the_order_of_asking(started):
    runs = [started.add(seconds=30), started.add(seconds=30), started.add(seconds=0.2)]
    assert wait_until(lambda: runs[0].state == "running", 20)

    assert [each["state"] for each in started.runs.describe()] == ["running", "queued", "queued"]
    started.runs.cancel(runs[0].number)
    assert wait_until(lambda: runs[1].state == "running", 20)
    assert [run.state for run in runs] == ["cancelled", "running", "queued"]
    started.runs.cancel(runs[1].number)
    started.wait(runs[2], "done")


def test_a_queue_that_is_full_refuses_and_a_stop_empties_it_at_once(started):
    running = started.add(seconds=30, pause=30)
    assert wait_until(lambda: running.lines[0].verdict is not None, 20)
    waiting = [started.add() for _ in range(WAITING)]
    with pytest.raises(Refused, match="20 runs are waiting; let one of them end, or cancel it"):
        started.add()
    before = started.log._number
    asked = time.monotonic()
    started.runs.cancel_all_of("toy")

    assert time.monotonic() - asked < 20  # of the 30 s that it would rest
    assert {run.state for run in (running, *waiting)} == {"cancelled"}
    # One event for each, some more of the one that ran: not one for each about all others.
    assert started.log._number - before < WAITING + 8


def test_a_queued_run_that_is_cancelled_never_starts(started):
    first, second = started.add(seconds=30), started.add()
    started.runs.cancel(second.number)

    assert second.state == "cancelled"
    assert len(second.lines[0].samples) == 0
    with pytest.raises(Refused, match="has ended"):
        started.runs.cancel(second.number)
    started.runs.cancel(first.number)


def test_cancelling_ends_a_run_at_once_even_while_it_rests(started):
    run = started.add(seconds=30, pause=30)
    assert wait_until(lambda: run.lines[0].samples, 20)

    asked = time.monotonic()
    started.runs.cancel(run.number)
    started.wait(run, "cancelled")

    assert time.monotonic() - asked < 20  # of the 30 s that it would rest
    assert started.described(run)["lines"][0]["verdict"] is None


@pytest.mark.parametrize("action", ["stop", "kill", "pause"])
def test_a_fault_is_seen_and_undone_when_the_variant_ends(started, action):
    run = started.add(seconds=30)  # it is refuted, and ends, soon after that
    assert wait_until(lambda: run.lines[0].samples, 20)
    started.runs.hurt(run.number, action, "web")
    started.wait(run, "done", "failed")

    assert (
        started.described(run)["faults"][0]["label"]
        == {
            "stop": "web stopped",
            "kill": "web killed",
            "pause": "web paused",
        }[action]
    )
    assert started.described(run)["lines"][0]["verdict"]["measured"] > 0
    again = started.add(seconds=0.3)
    started.wait(again, "done")
    assert started.described(again)["lines"][0]["verdict"]["holds"]
    assert started.state() == "running"


def test_the_latest_value_of_a_series_is_shown_while_a_variant_runs_and_not_after(
    started, monkeypatch
):
    experiment = started.example.experiment("it-keeps-answering")
    monkeypatch.setattr(experiment, "live", (experiment.unanswered,))
    run = started.add(variants=("slow", "fast"), seconds=0.2, pause=3)
    shown = []

    def now():
        return [value for line in started.described(run)["lines"] for value in line["now"]]

    assert wait_until(lambda: shown.extend(now()) or shown, 20)
    assert re.fullmatch(r"\d+ questions", shown[0])
    started.wait(run, "done")
    assert now() == []


class Hurting(Experiment):
    """Hurts the toy before its clock begins, and 0.3 s after."""

    slug = "it-is-hurt"
    claim = "It is hurt."
    holds = ("fast",)
    refuted = ()
    hurt = Series("times")
    chart = Chart(hurt, "times hurt")

    def run(self, stack, _variant, _params):
        stack.restart("redis")
        yield clock_starts()
        yield self.hurt(0)
        time.sleep(0.3)
        with stack.killed("web"):
            yield self.hurt(1)

    def judge(self, samples, _params):
        return Verdict.at_most(len(samples), 2, "{measured} samples, {bound} expected")


def test_what_an_experiment_hurts_is_marked_at_its_second_but_not_what_it_restarts_before(started):
    run = started.runs.add("toy", Hurting, ["fast"], {})
    started.wait(run, "done", "failed")

    (fault,) = started.described(run)["faults"]
    assert fault["label"] == "web killed"
    assert 0.25 < fault["seconds"] < 20
    assert not fault["own"]


class Asking(Experiment):
    """Counts answers until it is cancelled: what is not answered refutes nothing."""

    slug = "it-is-asked"
    claim = "It is asked."
    holds = ("fast",)
    refuted = ()
    answered = Series("answers")
    chart = Chart(answered, "answers")

    def run(self, stack, variant, _params):
        answered = 0
        while True:
            answered += ask(f"{stack.url}/{variant}").status == 200
            yield self.answered(answered)
            rest(0.02)

    def judge(self, samples, _params):
        return Verdict.at_least(samples.last(self.answered), 1, "{measured} of {bound} answered")


def test_what_was_hurt_can_be_put_back_by_hand(started):
    run = started.runs.add("toy", Asking, ["fast"], {})
    samples = run.lines[0].samples

    def answered():
        return samples.last(Asking.answered, 0)

    assert wait_until(answered, 20)
    for action in ("pause", "resume", "kill", "start"):
        started.runs.hurt(run.number, action, "web")
    assert wait_until(lambda: len(run.faults) == 4, 60)
    counted = answered()

    assert wait_until(lambda: answered() > counted + 5, 60)
    assert [each.label for each in run.faults] == [
        "web paused",
        "web resumed",
        "web killed",
        "web started",
    ]
    started.runs.cancel(run.number)


def test_faults_need_a_run_a_known_hand_and_a_known_target(started):
    run = started.add(seconds=30)
    assert wait_until(lambda: run.state == "running" and run.current, 20)
    with pytest.raises(Refused, match="There is no fault 'explode'"):
        started.runs.hurt(run.number, "explode", "web")
    with pytest.raises(Refused, match="There is no 'nope'; there is: redis, postgres, web"):
        started.runs.hurt(run.number, "stop", "nope")
    with pytest.raises(Refused, match="There is no run 99"):
        started.runs.hurt(99, "stop", "web")
    started.runs.cancel(run.number)
    started.wait(run, "cancelled")
    with pytest.raises(Refused, match="not under way"):
        started.runs.hurt(run.number, "stop", "web")


def test_what_was_seen_first_is_said_first(started, monkeypatch):
    """Else a page would say for ever of a cancelled run that it is being cancelled."""
    said, ended, append = [], threading.Event(), started.log.append

    def slowly(kind, data):
        if kind == "run" and data["cancelling"]:
            ended.wait(1)  # the thread that cancels loses the processor here
        append(kind, data)
        if kind == "run":
            said.append(data["state"])
            if data["state"] == "cancelled":
                ended.set()

    run = started.add(seconds=30, pause=30)
    assert wait_until(lambda: run.lines[0].samples, 20)
    monkeypatch.setattr(started.log, "append", slowly)
    started.runs.cancel(run.number)

    assert ended.wait(20)
    assert said == ["running", "cancelled"]


def test_stopping_an_example_cancels_its_runs_first(started):
    running, queued = started.add(seconds=30), started.add()
    assert wait_until(lambda: running.lines[0].samples, 20)
    started.stacks.stop("toy")

    assert wait_until(lambda: started.state() == "stopped", 30)
    assert (running.state, queued.state) == ("cancelled", "cancelled")


def test_an_experiment_that_breaks_fails_its_run_and_not_the_lab(started, monkeypatch):
    experiment = started.example.experiment("it-answers")
    monkeypatch.setattr(experiment, "judge", lambda *_: 1 / 0)
    broken = started.add("it-answers")
    started.wait(broken, "failed")

    assert broken.error == "ZeroDivisionError: division by zero"
    after = started.add(seconds=0.3)
    started.wait(after, "done")


def test_closing_in_the_middle_of_a_run_leaves_no_process(started):
    run = started.add(seconds=30, pause=30)
    assert wait_until(lambda: run.lines[0].samples, 20)
    children = started.stacks.places["toy"].stack.children()

    closing = time.monotonic()
    started.close()

    assert time.monotonic() - closing < 25  # of the 30 s that the run would rest
    assert not any(child.alive for child in children.values())
    assert not [each for each in threading.enumerate() if each.name.startswith("lab-r")]


def test_processes_outlive_the_request_that_started_them(started):
    """A child ends with the thread that started it: that one must live as long as the lab."""
    time.sleep(1)

    assert all(child.alive for child in started.stacks.places["toy"].stack.children().values())


def test_a_start_that_is_given_up_ends_what_it_started(lab):
    lab.stacks.start("toy")
    assert wait_until(lambda: "running release" in lab.stacks.describe("toy")["steps"], 60)
    lab.close()

    # It is closed when the start has been told to end; that it is on its way takes as long as its next step.
    assert wait_until(lambda: lab.state() in ("failed", "stopped"), 60)
    assert lab.stacks.places["toy"].stack is None


def test_a_start_that_hangs_does_not_keep_the_lab_open(lab, monkeypatch):
    waiting = threading.Event()
    monkeypatch.setattr(
        "nexus.stacks.embedded.ensure_environment", lambda *_, **__: waiting.wait(60)
    )
    lab.stacks.start("toy")
    assert wait_until(lambda: "installing packages" in lab.stacks.describe("toy")["steps"], 20)

    closing = time.monotonic()
    lab.close()

    assert time.monotonic() - closing < 30  # half of what it would hang
    waiting.set()
