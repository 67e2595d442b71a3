"""What claims are written in: series, samples, verdicts, and how a run of them is driven."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus import drive as driving
from nexus.catalog import Example
from nexus.drive import concluded, drive, judged
from nexus.experiment import (
    Answer,
    Chart,
    Experiment,
    ExperimentError,
    Request,
    Sample,
    Samples,
    Series,
    Undecided,
    UnexpectedAnswer,
    Verdict,
    ask,
    clock_starts,
    expect,
    percentile,
    until,
    volley,
)
from nexus.samples import Unseen


class Counts(Experiment):
    slug = "counts"
    claim = "It counts to three."
    holds = ("slowly",)
    refuted = ("for_ever",)
    counted = Series("steps")
    never_seen = Series("steps")
    chart = Chart(counted, "steps")

    MOST = 10_000
    closed = False

    def run(self, stack, variant, params) -> Iterator[Sample]:
        yield clock_starts()
        try:
            for number in range(1, 4 if variant == "slowly" else self.MOST):
                yield self.counted(number)
                time.sleep(0.001)
        finally:
            type(self).closed = True

    def judge(self, samples, params) -> Verdict:
        return Verdict.at_most(samples.last(self.counted), 3, "{measured} steps, {bound} allowed")


def driven(experiment: Experiment, variant: str) -> Samples:
    samples = Samples()
    for _ in drive(experiment, None, variant, {}, samples):
        pass
    return samples


def test_series_that_was_never_seen_is_an_error_not_a_zero():
    class Misspelt(Counts):
        def judge(self, samples, params):
            return Verdict.at_most(samples.last(self.never_seen), 3, "{measured} of {bound}")

    with pytest.raises(ExperimentError, match=r"counts cannot be judged.*'never seen'"):
        concluded(Misspelt(), driven(Misspelt(), "slowly"), {})
    with pytest.raises(Unseen):
        Samples().last(Counts.counted)
    assert Samples().last(Counts.counted, 0) == 0


def test_sample_of_a_series_that_is_not_declared_is_an_error():
    class Undeclared(Counts):
        def run(self, stack, variant, params):
            yield Series("steps", "cuonted")(1)

    with pytest.raises(ValueError, match="a sample of 'cuonted', which is not declared"):
        driven(Undeclared(), "slowly")


def test_run_that_is_refuted_for_good_is_closed_before_its_end(monkeypatch):
    monkeypatch.setattr(driving, "AFTERMATH_SECONDS", 0.1)

    samples = driven(Counts(), "for_ever")

    assert len(samples) < Counts.MOST - 1
    assert Counts.closed
    assert not samples.over
    assert not concluded(Counts(), samples, {}).holds


def test_run_that_holds_goes_to_its_end():
    samples = driven(Counts(), "slowly")

    assert samples.over
    assert samples.values(Counts.counted) == [1, 2, 3]
    assert concluded(Counts(), samples, {}).figure == "3 steps, 3 allowed"


def test_clock_starts_where_the_run_says():
    class Prepares(Counts):
        def run(self, stack, variant, params):
            began = time.monotonic()
            yield clock_starts(began + 100)
            yield self.counted(1, at=began + 101.5, x=7)

    [sample] = driven(Prepares(), "slowly")

    assert sample.seconds == pytest.approx(1.5)
    assert sample.x == 7


def test_what_may_yet_be_fulfilled_is_not_refuted_while_the_run_goes_on():
    class Climbs(Counts):
        def judge(self, samples, params):
            return Verdict.at_least(samples.last(self.counted), 3, "{measured} of {bound} steps")

    so_far = Samples([Sample(0, "counted", 1)], over=False)

    assert judged(Climbs(), so_far, {}) is None
    assert judged(Climbs(), Samples(over=False), {}) is None
    assert concluded(Climbs(), Samples([Sample(0, "counted", 1)]), {}).holds is False


def test_judgement_can_be_left_to_the_end():
    with pytest.raises(Undecided):
        Samples(over=False).wait_for_end()
    Samples().wait_for_end()


def test_verdict_writes_its_figure():
    words = "{measured} requests admitted, the limit allows {bound}"

    assert Verdict.at_most(225, 102, words).figure == (
        "225 requests admitted, the limit allows 102"
    )
    assert Verdict.at_least(31, 200, "{measured} of {bound} jobs done").figure == (
        "31 of 200 jobs done"
    )
    assert Verdict.at_most(2000.0, 0, "{measured} lost").figure == "2,000 lost"
    assert Verdict.at_most(1, 0, "{measured:job} lost").figure == "1 job lost"
    assert Verdict.at_most(2, 0, "{measured:job} lost").figure == "2 jobs lost"
    assert Verdict.at_most(2000.0, 0, "{measured:job} lost").figure == "2,000 jobs lost"
    assert Verdict.at_most(0.25, 1.5, "{measured} s of {bound} s").figure == "0.25 s of 1.5 s"


@pytest.mark.parametrize("words", ["{bound} allowed", "{measured} admitted", "nothing"])
def test_figure_without_its_numbers_is_an_error(words):
    with pytest.raises(ValueError, match="has to name"):
        Verdict.at_most(1, 2, words)


def test_both_of_two_verdicts_have_to_hold():
    good = Verdict.at_most(1, 2, "{measured} of {bound}")
    bad = Verdict.at_least(1, 4, "{measured} of {bound} done")

    assert (good & good).holds
    for both in (good & bad, bad & good):
        assert not both.holds
        assert (both.measured, both.bound) == (1, 4)
        assert not both.final
    assert (good & bad).figure == "1 of 2; 1 of 4 done"
    assert (bad & Verdict.at_most(9, 2, "{measured} {bound}")).final


def test_condition_is_told_when_it_does_not_hold():
    good = Verdict.at_most(1, 2, "{measured} of {bound}")
    bad = Verdict.at_least(1, 4, "{measured} of {bound} done")

    assert good.provided(good) == good
    assert good.provided(bad) == good & bad


@pytest.mark.parametrize(
    ("verdict", "thick"),
    [
        (Verdict.at_most(199, 100, "{measured} {bound}"), False),
        (Verdict.at_most(200, 100, "{measured} {bound}"), True),
        (Verdict.at_most(1, 0, "{measured}"), True),
        (Verdict.at_least(198, 200, "{measured} {bound}"), False),
        (Verdict.at_least(100, 200, "{measured} {bound}"), True),
        (Verdict.exactly(2, 1, "{measured} {bound}"), True),
        (Verdict.at_most(0, 0, "{measured}"), False),
        (Verdict.at_least(0, 0, "{measured}"), False),
        (Verdict.exactly(0, 0, "{measured}"), False),
    ],
)
def test_refutation_is_thick_from_twice_the_bound_on(verdict, thick):
    assert verdict.thick is thick


@given(st.lists(st.floats(0, 1e6), min_size=2), st.floats(0.01, 0.9))
def test_percentile_is_the_nearest_rank(numbers, share):
    try:
        found = percentile(numbers, share)
    except Undecided:
        assert share * len(numbers) > len(numbers) - 1
        return

    assert sum(each <= found for each in numbers) >= share * len(numbers)
    assert sum(each < found for each in numbers) < share * len(numbers)


def test_percentile_of_too_few_numbers_is_undecided():
    with pytest.raises(Undecided, match="20 values are too few for the 99% percentile"):
        percentile([1.0] * 20, 0.99)


def test_answer_that_is_not_expected_says_what_it_was():
    answer = Answer(0, 0, 1, 503, {}, b"the database is away")

    assert expect(answer, 200, 503) is answer
    with pytest.raises(UnexpectedAnswer, match="status 503: the database is away"):
        expect(answer, 200, 429)
    with pytest.raises(UnexpectedAnswer, match="status 0: ConnectionResetError"):
        expect(Answer(0, 0, 1, 0, {}, b"", "ConnectionResetError"), 200)


def test_until_waits_no_longer_than_its_deadline():
    assert until(lambda: True, 0)
    assert not until(lambda: False, 0.01, 0.001)


@pytest.fixture
def hangs_up():
    """A server that answers one request on each connection, and resets it at the second."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self):
            if getattr(self, "answered", False):
                line = self.rfile.readline()
                if line:
                    seen.append(line)
                self.close_connection = True
                return
            super().handle_one_request()

        def do_GET(self):
            seen.append(self.requestline)
            self.answered = True
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", seen
    server.shutdown()
    server.server_close()


def test_request_whose_connection_was_closed_is_an_answer_and_not_sent_again(hangs_up):
    url, seen = hangs_up

    answers = list(volley([Request(url)] * 6, processes=1, connections=1))

    assert len(seen) == 6
    assert [each.status for each in answers].count(0) == 3
    assert all(each.error for each in answers if each.status == 0)


def test_half_an_answer_of_a_server_that_was_killed_is_none():
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, f"http://127.0.0.1:{server.getsockname()[1]}/")
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        answer = asked.result(20)

    assert (answer.status, answer.error.partition("(")[0]) == (0, "IncompleteRead: IncompleteRead")


def test_threads_that_ask_at_once_get_whole_experiments(toy):
    slugs = set(toy.experiments)
    for name in [name for name in sys.modules if name.startswith("nexus_experiments_toy")]:
        del sys.modules[name]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: set(Example(toy.path).experiments), range(32)))

    assert all(each == slugs for each in found)


def test_claims_and_modules_have_to_agree(tmp_path):
    folder = tmp_path / "odd" / "experiments"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('CLAIMS = ("it-answers",)\n')
    (folder / "it_is_forgotten.py").write_text("")

    with pytest.raises(ValueError, match="differ by it-answers, it-is-forgotten"):
        _ = Example(folder.parent).experiments

    (folder / "it_is_forgotten.py").rename(folder / "it_answers.py")
    with pytest.raises(ValueError, match="has to define one experiment, of claim it-answers"):
        _ = Example(folder.parent).experiments
