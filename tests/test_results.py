"""What is recorded comes back, stays small, and never mixes the figures of two machines."""

import itertools
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus import report, results
from nexus.catalog import Example
from nexus.experiment import Chart, Experiment, Sample, Verdict, ask
from nexus.load import Exchange, watching
from nexus.prove import prove_one
from nexus.results import Bench, Machine, Outputs, Record, Recording, Run

MACHINE = Machine("AMD EPYC", 2, 3.8, "Linux 6.1 x86_64")
CLAIMS = {"burst-is-bounded": "Of 2,000 requests 100 get in.", "no-cliff": "No window admits more."}


def run(claim="burst-is-bounded", variant="token_bucket", *, holds=True, **changes):
    fields = {
        "figure": "admitted 100 <= 106",
        "measured": 100.0,
        "bound": 106.0,
        "params": {"requests": 2000, "processes": 8},
        "units": {"admitted": "requests"},
        "samples": (Sample(0.0, "admitted", 1), Sample(0.5, "admitted", 100)),
    }
    return Run(claim, variant, holds, holds, **(fields | changes))


def recording(*runs, stack="embedded", day=1, **changes):
    made = Recording(stack, date(2026, 11, day), MACHINE, {"django": "6.1"}, runs)
    return replace(made, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "rate_limiting.json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name"),
        ("[]", "the file is not a JSON object"),
        ("{}", "'example' is missing"),
        ('{"example": 1}', "'example' is 1, not of type str"),
        ('{"example": "x", "claims": {"a": 1}, "recordings": []}', "'a' is 1, not of type str"),
        ('{"example": "x", "claims": {}, "recordings": [3]}', "an entry of 'recordings' is not"),
    ],
)
def test_a_malformed_file_is_named_with_what_is_wrong(path, text, message):
    path.parent.mkdir()
    path.write_text(text)

    with pytest.raises(ValueError, match=r"rate_limiting\.json is not a record") as caught:
        results.load(path)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("verdict", "maybe", "neither 'holds' nor 'refuted'"),
        ("measured", "100", "not of type float"),
        ("measured", True, "not of type int"),
        ("samples", [[1, 2, 3]], "a sample is [seconds, series, value]"),
        ("points", [[1]], "a point is [seconds, value]"),
        ("exchanges", [1], "an entry of 'exchanges' is not a JSON object"),
        ("exchanges", [{"method": "GET"}], "'path' is missing"),
    ],
)
def test_a_malformed_run_is_refused(path, name, value, message):
    results.add(path, "rate_limiting", CLAIMS, recording(run()))
    data = json.loads(path.read_text())
    data["recordings"][0]["runs"][0][name] = value
    path.write_text(json.dumps(data))

    with pytest.raises(ValueError, match="not a record") as caught:
        results.load(path)

    assert message in str(caught.value)


def test_a_figure_that_is_not_finite_is_refused_and_the_old_file_stays(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run()))
    before = path.read_text()

    with pytest.raises(ValueError, match="must be finite"):
        results.add(path, "rate_limiting", CLAIMS, recording(run(measured=float("inf"))))

    assert path.read_text() == before


def test_what_is_saved_comes_back(path):
    bench = Bench(date(2026, 11, 2), MACHINE, {}, ("peer", "ratio"), (("limits", 0.5), ("PING", 1)))
    record = Record(
        "rate_limiting",
        CLAIMS,
        (recording(run(), run(variant="drf_throttle", holds=False)),),
        bench,
    )

    results.save(path, record)

    assert results.load(path) == record


def exchange(**changes):
    made = Exchange("GET", "/api/", {"Accept": "*/*"}, 429, {"retry-after": "12"}, "{}", 0.0123)
    return replace(made, **changes)


def test_points_and_exchanges_come_back(path):
    points = ((0.0, 1), (0.25, 99.5), (0.5, 100))
    made = Record(
        "rate_limiting", CLAIMS, (recording(run(points=points, exchanges=(exchange(),))),)
    )

    results.save(path, made)

    assert results.load(path) == made


def test_a_file_from_before_points_and_exchanges_loads(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run()))
    assert "points" not in path.read_text()

    old = results.load(path).find("burst-is-bounded", "token_bucket", "embedded")

    assert (old.points, old.exchanges) == ((), ())
    line = old.line(Chart("admitted", "requests"))
    assert (list(line.points), line.bound) == ([(0.0, 1), (0.5, 100)], 106)


def test_thinned_samples_are_not_counted(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run()))
    old = results.load(path).find("burst-is-bounded", "token_bucket", "embedded")

    assert list(old.line(Chart("admitted", "requests", window_seconds=4)).points) == []
    assert list(old.line(Chart("admitted", "requests", running_total=True)).points) == []


def test_exchanges_are_kept_one_a_status_without_noise_and_secrets():
    long = exchange(
        request_headers={"Authorization": "Bearer 0123456789", "X-Forwarded-For": "1" * 999},
        headers={"Date": "today", "Server": "granian", "RateLimit": '"a";r=0'},
        body="b" * 999,
    )

    refused, admitted = results.kept([long, exchange(), exchange(status=200)])

    assert refused.request_headers["Authorization"] == "Bearer …"
    assert len(refused.request_headers["X-Forwarded-For"]) == 200
    assert refused.headers == {"RateLimit": '"a";r=0'}
    assert len(refused.body) == 300
    assert admitted == exchange(status=200)


@pytest.mark.parametrize(("variants", "exchanges"), [(3, 2), (9, 0)])
def test_points_then_exchanges_give_way_after_the_samples(path, variants, exchanges):
    samples = tuple(Sample(n / 7, f"series-{n % 3}", n / 3) for n in range(300))
    points = tuple((n / 7, n * 7919 % 300 / 3) for n in range(300))
    claims = {f"claim-{n}": "A sentence." for n in range(9)}
    said = tuple(exchange(status=status, body="b" * 300) for status in (200, 429))
    runs = [
        run(claim, f"variant-{n}", samples=samples, points=points, exchanges=said)
        for claim in claims
        for n in range(variants)
    ]

    results.add(path, "rate_limiting", claims, recording(*runs))

    assert path.stat().st_size <= results.MAX_BYTES
    loaded = results.load(path).runs("embedded")[0]
    kept = loaded.points
    assert len(loaded.exchanges) == exchanges
    assert results.MIN_POINTS_PER_RUN * 2 / 3 <= len(kept) <= results.MAX_POINTS_PER_RUN
    assert (kept[0], kept[-1]) == tuple(
        (round(s, 3), round(v, 6)) for s, v in (points[0], points[-1])
    )
    assert max(value for _, value in kept) == round(max(value for _, value in points), 6)


def test_saving_twice_gives_the_same_bytes(path):
    many = tuple(Sample(n / 100, "admitted", n % 977) for n in range(50_000))
    results.add(path, "rate_limiting", CLAIMS, recording(run(samples=many)))
    first = path.read_bytes()

    results.save(path, results.load(path))

    assert path.read_bytes() == first
    assert first.endswith(b"}\n")


def test_a_file_of_many_runs_stays_under_100_kb(path):
    samples = tuple(Sample(n / 7, f"series-{n % 3}", n / 3) for n in range(3000))
    claims = {f"claim-{n}": "A sentence." for n in range(9)}
    runs = [run(claim, f"variant-{n}", samples=samples) for claim in claims for n in range(6)]

    results.add(path, "rate_limiting", claims, recording(*runs))
    results.add(path, "rate_limiting", claims, recording(*runs, stack="compose"))

    assert path.stat().st_size <= results.MAX_BYTES
    assert len(results.load(path).runs("compose")) == 54


def test_recording_one_claim_leaves_the_others_with_their_own_date(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run(), run("no-cliff"), day=1))

    record = results.add(
        path, "rate_limiting", CLAIMS, recording(run("no-cliff", measured=7), day=2)
    )

    assert [(each.recorded_at.day, len(each.runs)) for each in record.recordings] == [
        (1, 1),
        (2, 1),
    ]
    assert record.find("no-cliff", "token_bucket", "embedded").measured == 7
    assert record.find("burst-is-bounded", "token_bucket", "embedded").measured == 100


def test_recording_one_stack_leaves_the_other(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run(measured=1)))

    record = results.add(path, "rate_limiting", CLAIMS, recording(run(measured=2), stack="compose"))

    assert record.stacks() == ("embedded", "compose")
    assert record.find("burst-is-bounded", "token_bucket", "embedded").measured == 1
    assert record.find("burst-is-bounded", "token_bucket", "compose").measured == 2


def test_recordings_of_one_day_machine_and_stack_are_one(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run("no-cliff")))

    record = results.add(path, "rate_limiting", CLAIMS, recording(run()))

    assert len(record.recordings) == 1
    assert [each.claim for each in record.runs("embedded")] == ["burst-is-bounded", "no-cliff"]


def test_a_claim_no_longer_declared_goes_with_the_next_recording(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run("no-cliff")))

    record = results.add(
        path, "rate_limiting", {"burst-is-bounded": "…"}, recording(run("burst-is-bounded"))
    )

    assert [each.claim for each in record.runs("embedded")] == ["burst-is-bounded"]


def test_a_bench_leaves_the_runs(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run()))
    bench = Bench(date(2026, 11, 2), MACHINE, {}, ("peer", "ratio"), (("limits", 0.5),))

    record = results.add_bench(path, "rate_limiting", bench)

    assert record.bench == bench
    assert len(record.runs("embedded")) == 1


def test_what_commands_printed_comes_back_and_leaves_the_runs(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run()))
    outputs = Outputs(
        date(2026, 11, 2), MACHINE, {"django": "6.1"}, {"plans board": "Limit\n└─ Sort"}
    )

    results.add_outputs(path, "rate_limiting", outputs)

    assert results.load(path).outputs == outputs
    assert len(results.load(path).runs("embedded")) == 1


values = st.floats(-1e9, 1e9)
series = st.sampled_from(["admitted", "refused", "seconds"])


@given(st.lists(st.builds(Sample, values, series, values), max_size=300), st.integers(0, 60))
def test_thinning_keeps_first_last_least_and_greatest_of_each_series(samples, limit):
    thinned = results.thin(samples, limit)

    assert len(thinned) <= max(limit, 4 * len({each.series for each in samples}))
    for name in {each.series for each in samples}:
        whole = [each for each in samples if each.series == name]
        kept = [each for each in thinned if each.series == name]
        assert (kept[0], kept[-1]) == (whole[0], whole[-1])
        assert min(each.value for each in kept) == min(each.value for each in whole)
        assert max(each.value for each in kept) == max(each.value for each in whole)


@given(st.integers(20, 200), st.integers(8, 40))
def test_thinning_leaves_no_gap_much_wider_than_even_spacing(count, limit):
    samples = [Sample(n, "admitted", n) for n in range(count)]

    seconds = [each.seconds for each in results.thin(samples, limit)]

    assert max(b - a for a, b in itertools.pairwise(seconds)) <= 2 * count / limit + 1


def test_the_machine_names_no_host():
    found = results.machine()

    assert found.cores >= 1
    assert found.memory_gib > 0
    assert str(replace(MACHINE, cores=1)) == "AMD EPYC (1 core, 3.8 GiB, Linux 6.1 x86_64)"


class Stack:
    url = "http://127.0.0.1:9"  # the discard port: nobody answers

    def heal(self):
        pass


class AsksTwice(Experiment):
    slug, claim, holds, refuted = "asks-twice", "It is answered.", ("fast",), ("slow",)
    units: ClassVar = {"admitted": "requests"}
    chart = Chart("admitted", "requests admitted", running_total=True)

    def run(self, stack, *_):
        for number in range(2):
            ask(f"{stack.url}/{number}", {"Authorization": "Bearer 0123456789"})
            yield Sample(number, "admitted", 1)

    def judge(self, *_):
        return Verdict(True, "admitted 2 <= 2", 2, 2)


@pytest.mark.parametrize(("kind", "statuses"), [("embedded", [0]), ("compose", [])])
def test_a_proof_is_recorded_with_its_points_and_one_exchange_a_status(
    kind, statuses, tmp_path, monkeypatch
):
    toy = Example(Path(__file__).parent / "examples" / "toy")
    monkeypatch.setitem(vars(toy), "experiments", {AsksTwice.slug: AsksTwice})
    monkeypatch.setattr(report, "ROOT", tmp_path)
    seen = []

    with watching(lambda request, _: seen.append(request.url[-2:])):
        report.record(toy, kind, [prove_one(Stack(), AsksTwice, "fast")])

    (recorded,) = results.load(tmp_path / "results" / "toy.json").runs(kind)
    assert recorded.points == ((0, 1), (1, 2))
    assert [each.status for each in recorded.exchanges] == statuses
    assert "0123456789" not in str(recorded)
    assert seen == ["/0", "/1"]
