"""Reports are read from the tests' source, shown in the write-up, and counted by `make lint`."""

import pytest

from nexus import lint, notes, results
from nexus.catalog import Example
from nexus.reports import Report, reports
from nexus.writeup import WriteupError, sync

TESTS = """
import missing_package
import pytest

@pytest.mark.parametrize("value", [1])
@pytest.mark.report(
    "benoitc/gunicorn#2799",
    "`_` and `-` are one key | in WSGI",
    "names with `_` are "
    "dropped",
)
@pytest.mark.report("pallets/werkzeug#2622", "the later line wins", "the same")
def test_the_proxys_line_counts(value): ...

class TestProxies:
    @pytest.mark.parametrize(
        "header", [pytest.param("x", marks=pytest.mark.report("a/b#1", "a fault", "held"))]
    )
    async def test_one(self): ...
"""
CLAIM = """
class BurstIsBounded(Experiment):
    slug = "burst-is-bounded"
    reports = (("redis/redis#8623", "memory is full", "refused"),)
"""


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "examples" / "rate_limiting"
    write(folder / "tests" / "test_proxies.py", TESTS)
    write(folder / "experiments" / "__init__.py", "CLAIMS = ()\n")
    return folder


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_reports_are_those_of_tests_and_claims_by_file_and_line(place):
    write(place / "experiments" / "burst_is_bounded.py", CLAIM)

    assert reports(place) == [
        Report(
            "benoitc/gunicorn#2799",
            "`_` and `-` are one key | in WSGI",
            "names with `_` are dropped",
            "tests/test_proxies.py::test_the_proxys_line_counts",
        ),
        Report(
            "pallets/werkzeug#2622",
            "the later line wins",
            "the same",
            "tests/test_proxies.py::test_the_proxys_line_counts",
        ),
        Report("a/b#1", "a fault", "held", "tests/test_proxies.py::TestProxies.test_one"),
        Report(
            "redis/redis#8623",
            "memory is full",
            "refused",
            "experiments/burst_is_bounded.py::BurstIsBounded",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('@pytest.mark.report("a/b#1", "fault")\ndef test_a(): ...\n', "1: a report is written"),
        ('\n@pytest.mark.report("a/b", "x", "y")\ndef test_a(): ...\n', "2: a report is written"),
        ('@pytest.mark.report("a/b#1", "", "y")\ndef test_a(): ...\n', "1: a report is written"),
        ('@pytest.mark.report("a/b#1", F, "y")\ndef test_a(): ...\n', "1: a report is written"),
        ('@pytest.mark.report("a/b#1", "x", here="y")\ndef test_a(): ...\n', "1: a report is"),
        ("@pytest.mark.report\ndef test_a(): ...\n", "1: the marker report belongs above a test"),
        ('pytestmark = pytest.mark.report("a/b#1", "x", "y")\n', "1: the marker report belongs"),
        ('@pytest.mark.report("a/b#1", "x", "y")\nclass TestA: ...\n', "1: the marker report"),
        ('class A:\n    reports = ("a/b#1", "x", "y")\n', "2: a report is written"),
    ],
)
def test_a_report_that_is_not_written_so_is_one_sentence_with_file_and_line(place, text, problem):
    write(place / "tests" / "test_proxies.py", text)

    with pytest.raises(ValueError, match=r"^examples/rate_limiting/tests/test_proxies\.py:") as it:
        reports(place)

    assert str(it.value).startswith(f"examples/rate_limiting/tests/test_proxies.py:{problem}")
    page = write(place / "README.md", "<!-- nexus:reports -->\n<!-- /nexus -->\n")
    with pytest.raises(WriteupError, match=r"README\.md:1: examples/rate_limiting/tests/test_prox"):
        sync(place.parent.parent, check=False)
    assert "|" not in page.read_text()


@pytest.mark.parametrize("name", ["README.md", "OPERATING.md"])
def test_the_block_is_a_table_with_links(place, name):
    page = write(place / name, "<!-- nexus:reports -->\n<!-- /nexus -->\n")

    assert [each.block for each in sync(place.parent.parent, check=False)] == ["reports"]

    rows = page.read_text().splitlines()[2:]
    assert rows[0] == "| report, and its test | what went wrong there | what happens here |"
    assert rows[2] == (
        "| [benoitc/gunicorn#2799](https://github.com/benoitc/gunicorn/issues/2799)<br>"
        "`tests/test_proxies.py::test_the_proxys_line_counts` "
        "| `_` and `-` are one key \\| in WSGI | names with `_` are dropped |"
    )
    assert sync(place.parent.parent, check=True) == []


def test_a_page_without_reports_says_so(place):
    write(place / "tests" / "test_proxies.py", "def test_a(): ...\n")
    page = write(place / "README.md", "<!-- nexus:reports -->\n<!-- /nexus -->\n")

    sync(place.parent.parent, check=False)

    assert "*No test names a report yet.*" in page.read_text()


def test_long_pages_and_few_reports_are_listed(place):
    code = "```python\n" + "word " * 3000 + "\n```\n<!-- nexus:claims -->\n\n" + "word " * 3000
    write(place / "README.md", "word " * 2001 + f"\n{code}\n\n<!-- /nexus -->\n")
    write(place / "OPERATING.md", "word " * 1200)

    assert list(notes.notes(place.parent.parent, Example(place))) == [
        "rate_limiting/README.md: 2,001 words, the budget is 2,000.",
        "rate_limiting: 3 of at least 8 reports have a test.",
    ]


def test_eight_reports_are_enough(place):
    many = "".join(f'@pytest.mark.report("a/b#{n}", "x", "y")\n' for n in range(8))
    write(place / "tests" / "test_proxies.py", many + "def test_a(): ...\n")

    assert list(notes.notes(place.parent.parent, Example(place))) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Two words.", 2),
        ("A [link of four](https://example.org/a b) - `code`.", 5),
        ("It <!-- nexus:figure a b -->31 of 200<!-- /nexus -->.", 4),
        ("````markdown\n```python\n```\nword\n````\nafter", 1),
        ("~~~\nword\n~~~\n- one\n\n| two |\n|---|", 2),
    ],
)
def test_words_are_those_of_the_prose(text, count):
    assert notes.words(text) == count


BURST = """
from nexus.experiment import Chart, Experiment, Series

class BurstIsBounded(Experiment):
    slug = "burst-is-bounded"
    admitted = Series("requests")
    chart = Chart(admitted, "requests admitted")
    def run(self): ...
    def judge(self): ...
"""


@pytest.mark.parametrize(
    ("last", "said"),
    [(225, []), (31, ["shows another figure than is judged: naive 31, judged 225."])],
)
def test_a_chart_of_another_figure_than_is_judged_is_listed(place, last, said):
    write(place / "experiments" / "__init__.py", 'CLAIMS = ("burst-is-bounded",)\n')
    write(place / "experiments" / "burst_is_bounded.py", BURST)
    run = results.Run(
        "burst-is-bounded", "naive", False, False, "225 > 100", 225, 100, points=((0, 1), (1, last))
    )
    machine = results.Machine("CPU", 2, 4.0, "Linux")
    recording = results.Recording("embedded", results.date(2026, 11, 2), machine, {}, (run,))
    root = place.parent.parent
    results.add(
        results.place(root, "rate_limiting"), "rate_limiting", {"burst-is-bounded": "…"}, recording
    )

    write(root / "docs" / "a.md", "<!-- nexus:claim burst-is-bounded example=rate_limiting -->\n")
    found = list(notes.notes(root, Example(place)))[1:]

    assert found == [f"rate_limiting: the chart of burst-is-bounded {each}" for each in said]


@pytest.mark.parametrize(
    "other",
    [
        "claim burst-is-bound example=rate_limiting",
        "claim burst-is-bounded-twice example=rate_limiting",
        "claim burst-is-bounded example=rate_limiting_too",
        "proved",
    ],
)
def test_a_claim_that_no_page_of_the_hub_shows_is_listed_with_what_to_do(place, other):
    write(place / "experiments" / "__init__.py", 'CLAIMS = ("burst-is-bounded",)\n')
    write(place / "experiments" / "burst_is_bounded.py", BURST)
    root = place.parent.parent
    write(
        root / "docs" / "a.md",
        f"`burst-is-bounded`\n<!-- nexus:{other} -->\n",
    )

    assert list(notes.notes(root, Example(place)))[1:] == [
        "rate_limiting: no page of docs/ shows burst-is-bounded; put `<!-- nexus:claim SLUG "
        "example=rate_limiting -->` and `<!-- /nexus -->` on the page that asks its question, "
        "then `make sync`."
    ]


def test_lint_prints_notes_and_fails_for_a_report_that_cannot_be_read(place, monkeypatch, capsys):
    monkeypatch.setattr(lint, "ROOT", place.parent.parent)
    monkeypatch.setattr(lint, "examples", lambda: [Example(place)])

    assert lint.say_notes() is True
    assert "  rate_limiting: 3 of at least 8 reports have a test.\n" in capsys.readouterr().out

    write(place / "tests" / "test_proxies.py", "@pytest.mark.report\ndef test_a(): ...\n")
    assert lint.say_notes() is False
    assert "test_proxies.py:1: the marker report belongs above a test.\n" in capsys.readouterr().out
