"""What a reader writes is judged as everything else is, and what is wrong with it ends in one sentence."""

import subprocess
from collections.abc import Iterator

import pytest

from nexus import catalog
from nexus.catalog import Example, UnknownName
from nexus.experiment import (
    Experiment,
    Params,
    Sample,
    Samples,
    Stack,
    Undecided,
    Verdict,
    ask,
)
from nexus.mine import NAME, Mine, hints, is_declared, raised
from nexus.prove import Proof, proof_stack, prove_mine
from nexus.stacks import readers
from nexus.stacks.embedded import EmbeddedStack
from nexus.stacks.processes import wait_until
from nexus.stacks.variables import PROCESS


def test_every_example_has_a_readers_own_variant(example):
    assert Mine(example).start.exists()


def test_example_without_one_says_so(toy):
    with pytest.raises(UnknownName, match="toy has no variant of your own yet"):
        Mine(toy)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory, copy_of) -> Example:
    """A copy of an example, in which a reader may write."""
    example = copy_of(catalog.example("rate_limiting"), tmp_path_factory.mktemp("a reader"))
    with (example.path / "Procfile").open("a", encoding="utf-8") as processes:
        processes.write("idle: sleep 3600\n")
    return example


@pytest.fixture(scope="module")
def mine(copied: Example) -> Mine:
    own = Mine(copied)
    own.begin()
    return own


@pytest.fixture(scope="module")
def stack(copied: Example, mine: Mine) -> Iterator[EmbeddedStack]:
    with proof_stack(copied, "embedded", mine=mine) as running:
        assert isinstance(running, EmbeddedStack)
        yield running


@pytest.fixture
def written(mine: Mine, stack: EmbeddedStack):
    """Write another file; return why it is not loaded."""

    def write(text: str) -> str:
        mine.file.write_text(text)
        stack.load_mine()
        return stack.mine_fault

    return write


def status(stack: EmbeddedStack, variant: str, seconds: float = 30) -> int:
    return ask(f"{stack.url}/api/{variant}/airports/JFK/", timeout_seconds=seconds).status


def outcomes(stack: EmbeddedStack, example: Example, *claims: str) -> list[Proof | str]:
    return [outcome for _, outcome in prove_mine(stack, map(example.experiment, claims))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def view(:\n", "SyntaxError: invalid syntax"),
        ("import nothing_of_that_name\n", "No module named 'nothing_of_that_name'"),
        ("LIMITS = {}\n", "has no attribute 'view'"),
        ("import sys\nsys.exit(3)\n", "ended Python with exit code 3"),
        ("import sys\nsys.exit(0)\n", "ended Python with exit code 0"),
        ("import os\nos._exit(0)\n", "ended Python with exit code 0"),
        ("\0", "source code string cannot contain null bytes"),
    ],
    ids=["syntax", "import", "incomplete", "exits", "exits well", "exits at once", "null bytes"],
)
def test_file_that_does_not_load_is_told_and_the_example_goes_on(written, stack, text, said):
    before = stack.programs()

    assert said in written(text)
    assert "flights/mine.py" in stack.mine_fault
    assert stack.programs() == before
    assert (status(stack, NAME), status(stack, "token_bucket")) == (200, 200)


def test_traceback_begins_in_the_readers_file(written):
    fault = written("def limit():\n    raise LookupError('no limit')\n\n\nlimit()\n").splitlines()

    assert fault[0].startswith("Traceback")
    assert fault[1].endswith('flights/mine.py", line 5, in <module>')
    assert fault[-1] == "LookupError: no limit"


def test_file_that_only_the_server_cannot_load_is_told_and_left_out(written, stack, copied):
    in_the_server = "import os, sys\nif 'gunicorn' in sys.argv[0]:\n    os._exit(3)\n"
    fault = written(in_the_server + (copied.path / "exercises" / "mine.py").read_text())

    # gunicorn ends with 3, or with 1 if its second process ends while it already stops.
    assert fault.startswith(("web.1 ended with exit code 3.", "web.1 ended with exit code 1."))
    assert (status(stack, NAME), status(stack, "token_bucket")) == (404, 200)


def test_only_what_reads_the_file_is_replaced(written, stack, copied):
    text = (copied.path / "exercises" / "mine.py").read_text()
    written(text)
    before = stack.programs()

    assert written(f"{text}# saved\n") == ""
    changed = {name for name, program in stack.programs().items() if program != before[name]}
    assert changed == {name for name in before if name.startswith("web.")}


def test_what_has_ended_is_replaced_too(written, stack, copied):
    text = (copied.path / "exercises" / "mine.py").read_text()
    written(text)
    stack.children()["idle.1"].kill()

    assert written(f"{text}# saved\n") == ""
    assert stack.dead() is None


def test_process_without_a_note_reads_the_file_of_now(tmp_path):
    before = {PROCESS: "web.1", **readers.noting(tmp_path, {})}
    (tmp_path / "mine.py").touch()
    since = {PROCESS: "web.1", **readers.noting(tmp_path, {})}
    assert readers.may_be_outdated(tmp_path, before)
    assert not readers.may_be_outdated(tmp_path, since)

    (tmp_path / "web.1.reads").touch()
    assert readers.may_be_outdated(tmp_path, since)


def test_saves_of_one_second_are_told_apart(written):
    errors = ["KeyError", "EOFError"] * 3  # of one size
    said = [written(f"raise {error}\n") for error in errors]

    assert [fault.splitlines()[-1] for fault in said] == errors


def test_hands_are_on_what_was_loaded(written, stack, copied):
    assert written((copied.path / "exercises" / "mine.py").read_text()) == ""
    with stack.paused("web"):
        assert status(stack, NAME, seconds=3) == 0
    assert status(stack, NAME) == 200


def test_import_that_hangs_is_given_up(written, stack, monkeypatch):
    monkeypatch.setattr("nexus.mine.IMPORT_SECONDS", 3.0)

    assert written("import time\ntime.sleep(60)\n").endswith("is not imported within 3 s.")
    assert status(stack, NAME) == 200


def test_thread_that_does_not_end_holds_nothing_up(written, stack, copied):
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(3600,)).start()\n"

    assert written(thread + (copied.path / "exercises" / "mine.py").read_text()) == ""
    assert status(stack, NAME) == 200


def test_fault_of_a_million_characters_can_be_read(written):
    fault = written("raise KeyError('x' * 1_000_000)\n")

    assert 'flights/mine.py", line 1, in <module>' in fault
    assert len(fault) < 5_000


@pytest.mark.usefixtures("written")
def test_folder_in_its_place_is_told(mine, stack):
    mine.file.unlink(missing_ok=True)
    mine.file.mkdir()
    try:
        stack.load_mine()
        assert not mine.changed()  # asked by the lab's watch, which must not end
    finally:
        mine.file.rmdir()

    assert stack.mine_fault.endswith("flights/mine.py is not there, or is no file.")


@pytest.mark.usefixtures("written")
def test_file_that_is_gone_is_told(mine, stack):
    mine.file.unlink(missing_ok=True)
    stack.load_mine()

    assert stack.mine_fault.endswith("flights/mine.py is not there, or is no file.")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('no')", "status 500: RuntimeError: no (line 4 of mine.py)"),
        ("import os; os._exit(1)", "status 0"),
        ("import time; time.sleep(30)", "status 0"),
    ],
    ids=["answers 500", "exits the process", "hangs"],
)
def test_view_that_fails_leaves_its_claim_open_and_others_alone(written, stack, copied, body, said):
    view = f"def view(_):\n    def ask(request, code):\n        {body}\n    return ask\n"
    fault = written(f"LIMITS = {{'airports': 0, 'steady': 0}}\n{view}")
    [outcome] = outcomes(stack, copied, "retry-after-is-true")

    assert fault == ""
    assert isinstance(outcome, str)
    assert said in outcome
    # Requests that were under way may end more processes, or keep them, for a while.
    assert wait_until(lambda: status(stack, "token_bucket", seconds=5) == 200, 60)


def test_error_that_came_through_the_file_is_found_among_others():
    def told(file: str, error: str) -> str:
        frame = f'  File "/a/{file}", line 7, in find\n    go()\n    ~~^^\n'
        return f"Traceback (most recent call last):\n{frame}{error}\n"

    log = (
        told("mine.py", "KeyError: 1")
        + told("mine.py", "NameError: 2")
        + told("views.py", "OSError")
    )

    assert raised(log) == "NameError: 2 (line 7 of mine.py)"
    assert raised(told("views.py", "OSError")) == ""


class Commanding(Experiment):
    """Asks for a command that nobody has written."""

    slug = "commanding"
    holds = ("token_bucket",)
    refuted = ("fixed_window",)

    def run(self, stack: Stack, variant: str, params: Params) -> Iterator[Sample]:
        yield Sample(0.0, stack.manage(f"load_{variant}"), 0)

    def judge(self, samples: Samples, params: Params) -> Verdict:
        raise Undecided


def test_command_that_fails_leaves_its_claim_open(stack):
    [(_, outcome)] = prove_mine(stack, [Commanding])

    assert isinstance(outcome, str)
    assert outcome.startswith("manage.py load_mine failed. ")
    assert "Unknown command: 'load_mine'" in outcome


def test_run_that_takes_too_long_leaves_its_claim_open(written, stack, copied, monkeypatch):
    monkeypatch.setattr("nexus.prove.MINE_SECONDS", 1.0)
    assert written((copied.path / "exercises" / "solved.py").read_text()) == ""

    assert outcomes(stack, copied, "retry-after-is-true") == ["the run was given up after 1 s"]


def test_another_file_is_another_verdict(written, stack, copied):
    written((copied.path / "exercises" / "mine.py").read_text())
    [untouched] = outcomes(stack, copied, "flood-is-cheap")
    written((copied.path / "exercises" / "solved.py").read_text())
    [solved] = outcomes(stack, copied, "flood-is-cheap")

    assert (untouched.verdict.holds, solved.verdict.holds) == (False, True)


def test_only_another_text_is_a_change(tmp_path, copied, copy_of):
    own = Mine(copy_of(copied, tmp_path))
    own.begin()
    assert own.changed()

    own.seen()
    assert not own.changed()
    own.file.write_bytes(own.file.read_bytes())
    assert not own.changed()
    own.file.write_bytes(own.file.read_bytes() + b"#")
    assert own.changed()
    own.seen()
    own.file.write_bytes(own.file.read_bytes()[:-1] + b" ")  # of the same size
    assert own.changed()
    own.seen()
    own.file.unlink()
    assert own.changed()


def test_it_begins_once_and_the_old_file_is_kept_beside(tmp_path, copied, copy_of):
    own = Mine(copy_of(copied, tmp_path))
    own.file.write_text("# a reader's work\n")

    assert not own.begin()
    assert [own.reset().name, own.reset().name] == ["mine_1.py", "mine_2.py"]
    assert own.file.with_name("mine_1.py").read_text() == "# a reader's work\n"
    assert own.file.read_bytes() == own.start.read_bytes()


def test_start_is_short_and_every_claim_against_it_has_a_hint(example):
    lines = Mine(example).start.read_text(encoding="utf-8").splitlines()
    against = {
        slug for slug, each in example.experiments.items() if example.begins_as in each.refuted
    }

    assert len(lines) <= 40
    assert against
    assert against <= set(hints(example))
    assert "<!--" not in "".join(hints(example).values())


@pytest.mark.paired
def test_untouched_file_is_refuted_as_the_naive_variant_it_begins_as(example):
    twin = example.begins_as
    asked = [each for each in example.experiments.values() if twin in each.variants()]
    with proof_stack(example, "embedded", mine=Mine(example, "exercises.mine")) as stack:
        found = {each.slug: outcome for each, outcome in prove_mine(stack, asked)}

    held = {
        slug: outcome if isinstance(outcome, str) else outcome.verdict.holds
        for slug, outcome in found.items()
    }
    assert held == {each.slug: twin in each.holds for each in asked}


def test_what_readers_write_is_no_part_of_the_repository(example):
    own = Mine(example)
    ignored = subprocess.run(
        ["git", "check-ignore", own.file, own.start],
        cwd=catalog.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ignored.stdout.splitlines() == [str(own.file)]


def test_a_readers_variant_is_there_to_win(copied):
    assert all(is_declared(each, NAME) for each in copied.experiments.values())
