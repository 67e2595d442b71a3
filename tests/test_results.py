"""What is recorded comes back, stays small, and never mixes the figures of two machines."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from nexus import report, results
from nexus.catalog import Example
from nexus.experiment import Chart, Experiment, Series, Verdict, ask
from nexus.load import Exchange, watching
from nexus.machine import Machine, this_machine
from nexus.prove import prove_one
from nexus.results import Bench, Goal, Outputs, Record, Recording, Run

MACHINE = Machine("AMD EPYC", 2, 3.8, "Linux 6.1 x86_64")
CLAIMS = {"burst-is-bounded": "Of 2,000 requests 100 get in.", "no-cliff": "No window admits more."}


def run(claim="burst-is-bounded", variant="token_bucket", *, holds=True, **changes):
    fields = {
        "figure": "admitted 100 <= 106",
        "measured": 100.0,
        "bound": 106.0,
        "points": ((0.0, 1), (0.25, 99.5), (0.5, 100)),
    }
    return Run(claim, variant, holds, holds, **(fields | changes))


def measured(record, claim, stack):
    (found,) = record.runs(stack, claim)
    return found.measured


def recording(*runs, stack="embedded", day=1, **changes):
    made = Recording(stack, date(2026, 11, day), MACHINE, {"django": "6.1"}, runs)
    return replace(made, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "rate_limiting.json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ("{}", "missing required field `example`"),
        ('{"example": 1}', "Expected `str`, got `int` - at `$.example`"),
        ('{"example": "x", "claims": {"a": 1}}', "Expected `str`, got `int` - at `$.claims[...]`"),
        ('{"example": "x", "recordings": [3]}', "got `int` - at `$.recordings[0]`"),
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
        ("holds", "maybe", "Expected `bool`, got `str`"),
        ("measured", "100", "Expected `float`, got `str`"),
        ("measured", True, "Expected `float`, got `bool`"),
        ("points", [[1]], "Expected `array` of length 2"),
        ("exchanges", [1], "Expected `object`, got `int`"),
        ("exchanges", [{"method": "GET"}], "missing required field `path`"),
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
    assert "`$.recordings[0].runs[0]" in str(caught.value)


def test_a_table_with_a_row_of_another_length_is_refused(path):
    bench = Bench(date(2026, 11, 2), MACHINE, {}, ("peer", "ratio"), (("limits", 0.5),))
    results.add_bench(path, "rate_limiting", bench)
    path.write_text(path.read_text().replace('"ratio"', '"ratio", "MB"'))

    with pytest.raises(ValueError, match=r"not one cell for each column - at `\$\.bench`"):
        results.load(path)


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


def test_exchanges_and_goals_come_back(path):
    goals = (Goal(True, "at >= 1 x PING: 1.2"), Goal(False, "in <= 160 MB: 170"))
    bench = Bench(date(2026, 11, 2), MACHINE, {}, ("peer",), (("limits",),), goals)
    runs = recording(run(exchanges=(exchange(),)))

    results.save(path, Record("rate_limiting", CLAIMS, (runs,), bench))

    loaded = results.load(path)
    assert loaded == Record("rate_limiting", CLAIMS, (runs,), bench)
    assert loaded.bench.missed == 1


def test_points_are_recorded_to_the_millisecond_and_numbers_in_six_places(path):
    points = ((0.12345, 1 / 3), (1.0, 2.0))
    results.add(path, "rate_limiting", CLAIMS, recording(run(points=points, measured=2 / 3)))

    assert '"points": [[0.123, 0.333333], [1, 2]]' in path.read_text()
    assert '"measured": 0.666667,' in path.read_text()


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


@pytest.mark.parametrize(("variants", "exchanges"), [(5, 2), (11, 0)])
def test_points_give_way_before_exchanges(path, variants, exchanges):
    points = tuple((n / 7, n * 7919 % 300 / 3) for n in range(300))
    claims = {f"claim-{n}": "A sentence." for n in range(9)}
    said = tuple(exchange(status=status, body="b" * 300) for status in (200, 429))
    runs = [
        run(claim, f"variant-{n}", points=points, exchanges=said)
        for claim in claims
        for n in range(variants)
    ]

    results.add(path, "rate_limiting", claims, recording(*runs))

    assert path.stat().st_size <= results.MAX_BYTES
    loaded = results.load(path).runs("embedded")[0]
    kept = loaded.points
    assert len(loaded.exchanges) == exchanges
    assert results.MIN_POINTS_PER_RUN * 2 / 3 <= len(kept) < results.MAX_POINTS_PER_RUN * 3 / 4
    assert (kept[0], kept[-1]) == tuple(
        (round(s, 3), round(v, 6)) for s, v in (points[0], points[-1])
    )
    assert max(value for _, value in kept) == round(max(value for _, value in points), 6)


def test_what_cannot_be_made_to_fit_is_refused_and_leaves_no_file(path):
    points = tuple((n / 7, n * 7919 % 300 / 3) for n in range(300))
    runs = [run(variant=f"variant-{n}", points=points) for n in range(300)]

    with pytest.raises(ValueError, match=r"rate_limiting\.json would take \d+ bytes, more than"):
        results.add(path, "rate_limiting", CLAIMS, recording(*runs))

    assert not path.exists()


def test_saving_twice_gives_the_same_bytes(path):
    many = tuple((n / 100, n % 977 / 7) for n in range(50_000))
    results.add(path, "rate_limiting", CLAIMS, recording(run(points=many)))
    first = path.read_bytes()

    results.save(path, results.load(path))

    assert path.read_bytes() == first
    assert first.endswith(b"}\n")


def test_recording_one_claim_leaves_the_others_with_their_own_date(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run(), run("no-cliff"), day=1))

    record = results.add(
        path, "rate_limiting", CLAIMS, recording(run("no-cliff", measured=7), day=2)
    )

    assert [(each.recorded_at.day, len(each.runs)) for each in record.recordings] == [
        (1, 1),
        (2, 1),
    ]
    assert measured(record, "no-cliff", "embedded") == 7
    assert measured(record, "burst-is-bounded", "embedded") == 100


def test_recording_one_stack_leaves_the_other(path):
    results.add(path, "rate_limiting", CLAIMS, recording(run(measured=1)))

    record = results.add(path, "rate_limiting", CLAIMS, recording(run(measured=2), stack="compose"))

    assert record.stacks() == ("embedded", "compose")
    assert measured(record, "burst-is-bounded", "embedded") == 1
    assert measured(record, "burst-is-bounded", "compose") == 2


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


def test_each_stack_has_a_bench_of_its_own(path):
    here, there = (
        Bench(date(2026, 11, 2), MACHINE, {}, ("peer",), ((name,),)) for name in ("here", "there")
    )

    results.add_bench(path, "rate_limiting", there, "compose")
    record = results.add_bench(path, "rate_limiting", here)

    assert (record.bench, record.bench_compose) == (here, there)


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


def test_the_machine_names_no_host():
    found = this_machine()

    assert found.cores >= 1
    assert found.memory_gib > 0
    assert str(replace(MACHINE, cores=1)) == "AMD EPYC (1 core, 3.8 GiB, Linux 6.1 x86_64)"


class Stack:
    url = "http://127.0.0.1:9"  # the discard port: nobody answers

    def heal(self):
        pass


class AsksTwice(Experiment):
    slug, claim, holds, refuted = "asks-twice", "It is answered.", ("fast",), ("slow",)
    admitted = Series("requests")
    chart = Chart(admitted, "requests admitted", x="requests", running_total=True)

    def run(self, stack, *_):
        for number in range(2):
            ask(f"{stack.url}/{number}", {"Authorization": "Bearer 0123456789"})
            yield self.admitted(1, x=number)

    def judge(self, *_):
        return Verdict.at_most(2, 2, "{measured} admitted, the limit allows {bound}")


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
    assert (recorded.axis, recorded.points) == ("requests", ((0, 1), (1, 2)))
    assert [each.status for each in recorded.exchanges] == statuses
    assert "0123456789" not in str(recorded)
    assert seen == ["/0", "/1"]
