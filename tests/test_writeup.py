"""`make sync` fills what is marked, touches nothing else, and says what it cannot fill."""

import re
import textwrap
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexus import results
from nexus.excerpts import excerpt, service, summary
from nexus.machine import Machine
from nexus.results import Bench, Outputs, Recording, Run
from nexus.writeup import Stale, WriteupError, fill_compose, fill_markdown, sync

MACHINE = Machine("AMD EPYC", 2, 3.8, "Linux 6.1 x86_64")
CLAIMS = {"burst-is-bounded": "Of 2,000 requests 100 get in.", "no-cliff": "No window admits more."}

BUCKET = '''\
"""A token bucket in Redis. RFC 9999."""

from functools import cache

# Measured, not guessed.
LIMIT = 100


class TokenBucket:
    size: int = 3

    @cache
    def take(self) -> bool:
        """Take one."""
        return True

    async def atake(self) -> bool:
        return True
'''

SCRIPT = """\
-- Times are microseconds; KEYS[1] is the bucket.
local a = 1
-- [decide]
if a then
  return 1
end
-- [/decide]
"""

SERVICES = """\
# The services that examples share.
services:
  redis:
    image: ${REDIS_IMAGE:-redis:8}
    # why
    command: [redis-server]

  postgres:
    image: postgres:17
volumes:
  data:
"""

MAKEFILE = """\
.PHONY: help run
help: ## print the commands
run: .venv ## EXAMPLE=…: start an example: at once
test: ## [EXAMPLE=…]: verify [STACK=embedded|compose]
_hidden: x
"""


EXPERIMENT = """\
from nexus.experiment import Chart, Experiment, Series


class Burst(Experiment):
    slug = "burst-is-bounded"
    admitted = Series("requests")
    chart = Chart(admitted, "requests admitted")

    def run(self): ...
    def judge(self): ...
"""

PICTURES = [f"results/rate_limiting/burst-is-bounded-{theme}.svg" for theme in ("dark", "light")]


def dedent(text):
    return textwrap.dedent(text).lstrip("\n")


def run(variant, measured, *, holds, claim="burst-is-bounded"):
    sign = "<=" if holds else ">"
    figure = f"admitted {measured} {sign} 106"
    points = ((0.1, 1), (0.4, measured))
    return Run(claim, variant, holds, holds, figure, measured, 106, points=points)


@pytest.fixture
def repository(tmp_path):
    example = tmp_path / "examples" / "rate_limiting"
    for path, text in {
        tmp_path / "Makefile": MAKEFILE,
        tmp_path / "compose" / "services.yml": SERVICES,
        example / "limiter" / "__init__.py": '"""Token buckets."""\n',
        example / "limiter" / "token_bucket.py": BUCKET,
        example / "limiter" / "token_bucket.lua": SCRIPT,
        example / "limiter" / "__pycache__" / "x.pyc": "",
        example / "Procfile": "web: serve\n",
        example / "compose.yml": "x-nexus: {order: 2}\nservices: {web: {}}\n",
        example / "experiments" / "__init__.py": 'CLAIMS = ("burst-is-bounded",)\n',
        example / "experiments" / "burst_is_bounded.py": EXPERIMENT,
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def record(repository):
    runs = (run("drf_throttle", 460, holds=False), run("token_bucket", 100, holds=True))
    recording = Recording("embedded", date(2026, 11, 21), MACHINE, {"django": "6.1"}, runs)
    path = repository / "results" / "rate_limiting.json"
    results.add(path, "rate_limiting", CLAIMS, recording)
    return path


def write(repository, text, name="examples/rate_limiting/README.md"):
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


def filled(repository, text, name="examples/rate_limiting/README.md"):
    path = write(repository, text, name)
    sync(repository, check=False)
    return path.read_text()


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "```python limiter/nothing.py\n```\n",
            "1: there is no file examples/rate_limiting/limiter/",
        ),
        (
            "```python limiter/token_bucket.py::TokenBucket.tak\n```\n",
            "1: limiter/token_bucket.py has no 'TokenBucket.tak'; close to it: TokenBucket.take",
        ),
        ("x\n```lua limiter/token_bucket.lua::decid\n```\n", "2: limiter/token_bucket.lua has no"),
        ("```python ../../../outside.py\n```\n", "1: outside.py is outside the repository."),
        ("```python\n", "1: ```python has no end."),
        ("<!-- nexus:claims -->\n", "1: <!-- nexus:claims --> has no end."),
        (
            "<!-- nexus:clam -->\n<!-- /nexus -->\n",
            "1: there is no block 'clam'; the blocks are: ",
        ),
        ("<!-- nexus:claims x -->\n<!-- /nexus -->\n", "1: claims is written `claims [stack="),
        ("<!-- nexus:claims n=1 -->\n<!-- /nexus -->\n", "1: claims has no option 'n'"),
        ("<!-- nexus:chart no -->\n<!-- /nexus -->\n", "1: claim 'no' is not recorded on embedded"),
        (
            "a <!-- nexus:figure burst-is-bounded x --><!-- /nexus -->\n",
            "1: burst-is-bounded is not recorded for 'x'; recorded: drf_throttle, token_bucket.",
        ),
        ("a <!-- nexus:figure a b --> c\n", "1: <!-- nexus:figure a b --> has no <!-- /nexus -->"),
        ("a <!-- /nexus -->\n", "1: <!-- /nexus --> closes nothing."),
        ("<!-- nexus:index x -->\n<!-- /nexus -->\n", "1: there is no page in x."),
        (
            "<!-- nexus:claim a example=x -->\n<!-- /nexus -->\n",
            "1: there is no example 'x'; the examples are: rate_limiting",
        ),
        ("<!-- nexus:claim a -->\n<!-- /nexus -->\n", "1: a has no experiment: "),
        (
            "a <!-- nexus:param burst-is-bounded x --><!-- /nexus -->\n",
            "1: burst-is-bounded has no ",
        ),
        (
            "a <!-- nexus:setting limiter/token_bucket.py::TokenBucket.take --><!-- /nexus -->\n",
            "1: limiter/token_bucket.py::TokenBucket.take names 0 numbers",
        ),
        (
            "a <!-- nexus:setting limiter/token_bucket.py::LIMIT 2 --><!-- /nexus -->\n",
            "1: limiter/token_bucket.py::LIMIT names 1 numbers, and none is number 2",
        ),
        ("a <!-- nexus:claims --><!-- /nexus -->\n", "1: claims takes several lines"),
        ("<!-- nexus:tree nowhere -->\n<!-- /nexus -->\n", "1: there is no folder nowhere."),
    ],
)
def test_what_cannot_be_filled_is_one_sentence_with_file_and_line(repository, text, problem):
    path = write(repository, text)

    with pytest.raises(WriteupError) as caught:
        sync(repository, check=False)

    assert str(caught.value).startswith(f"examples/rate_limiting/README.md:{problem}")
    assert "\n" not in str(caught.value)
    assert path.read_text() == dedent(text)


def test_one_block_that_cannot_be_filled_leaves_every_file_as_it_was(repository):
    good = write(repository, "```python limiter/token_bucket.py::LIMIT\n```\n")
    write(
        repository,
        "<!-- nexus:no -->\n<!-- /nexus -->\n<!-- nexus:claims -->\n<!-- /nexus -->\n",
        "a.md",
    )

    with pytest.raises(WriteupError) as caught:
        sync(repository, check=False)

    assert str(caught.value).splitlines()[1] == (
        "a.md:3: claims needs example=NAME outside of an example's folder."
    )
    assert good.read_text() == "```python limiter/token_bucket.py::LIMIT\n```\n"


def test_check_names_the_stale_blocks_and_writes_nothing(repository):
    path = write(repository, "# T\n\n```python limiter/token_bucket.py::LIMIT\nLIMIT = 1\n```\n")
    before = path.read_text()

    stale = sync(repository, check=True)

    assert [str(each) for each in stale] == [
        "examples/rate_limiting/README.md:3: limiter/token_bucket.py::LIMIT"
    ]
    assert path.read_text() == before


@pytest.mark.usefixtures("record")
def test_a_synced_repository_is_not_stale(repository):
    write(
        repository,
        """
        # Rate limiting

        A claim.

        <!-- nexus:chart burst-is-bounded -->
        <!-- /nexus -->
        <!-- nexus:claims -->
        <!-- /nexus -->
        <!-- nexus:tree -->
        <!-- /nexus -->
        """,
    )
    write(repository, "<!-- nexus:headline -->\n<!-- /nexus -->\n", "README.md")

    assert [each.block for each in sync(repository, check=False)] == [
        "chart burst-is-bounded",
        "claims",
        "tree",
        "headline",
        "picture",
        "picture",
    ]
    assert sync(repository, check=True) == []


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        ("LIMIT", "# Measured, not guessed.\nLIMIT = 100"),
        ("TokenBucket.size", "size: int = 3"),
        (
            "TokenBucket.take",
            '@cache\ndef take(self) -> bool:\n    """Take one."""\n    return True',
        ),
        ("TokenBucket.atake", "async def atake(self) -> bool:\n    return True"),
        ("", BUCKET.rstrip("\n")),
    ],
)
def test_a_python_symbol_comes_with_its_decorators_and_comment(symbol, text):
    assert excerpt(BUCKET, "token_bucket.py", symbol) == text


def test_overloads_and_conditional_definitions_come_together():
    source = "if x:\n    def f(): return 1\nelse:\n    def f(): return 2\ntype A = int\n"

    assert excerpt(source, "a.py", "f") == "def f(): return 1\n\ndef f(): return 2"
    assert excerpt(source, "a.py", "A") == "type A = int"


def test_a_file_that_does_not_parse_is_refused():
    with pytest.raises(ValueError, match=r"a\.py does not parse: .*, line 1"):
        excerpt("def", "a.py", "f")


def test_a_region_stands_between_its_marks_which_are_never_shown():
    assert excerpt(SCRIPT, "a.lua", "decide") == "if a then\n  return 1\nend"
    assert "[decide]" not in excerpt(SCRIPT, "a.lua", "")
    with pytest.raises(ValueError, match=r"region 'a' of a\.conf has no end"):
        excerpt("# [a]\nx\n", "a.conf", "a")


def test_a_fence_outgrows_the_fences_of_its_source(repository):
    write(repository, "```\ninner\n```\n", "examples/rate_limiting/notes/a.txt")

    text = filled(repository, "- item\n  ```text notes/a.txt\n  ```\nafter\n")

    assert text == "- item\n  ````text notes/a.txt\n  ```\n  inner\n  ```\n  ````\nafter\n"
    assert sync(repository, check=True) == []


def test_a_fence_without_a_source_and_code_in_a_line_are_left_alone(repository):
    text = dedent("""
        ````markdown
        ```python limiter/token_bucket.py::NOTHING
        ```
        <!-- nexus:nothing -->
        ````
        ```console
        $ make run
        ```
        Write `<!-- nexus:figure CLAIM VARIANT -->` or ``<!-- /nexus -->``.
        """)

    assert filled(repository, text) == text


@pytest.mark.usefixtures("record")
def test_figures_stand_inside_a_sentence(repository):
    text = filled(
        repository,
        "The throttle <!-- nexus:figure burst-is-bounded drf_throttle -->?<!-- /nexus -->, "
        "that is <!-- nexus:measured burst-is-bounded drf_throttle --><!-- /nexus --> in all.\n",
    )

    assert text == (
        "The throttle <!-- nexus:figure burst-is-bounded drf_throttle -->admitted 460 > 106"
        "<!-- /nexus -->, that is <!-- nexus:measured burst-is-bounded drf_throttle -->460"
        "<!-- /nexus --> in all.\n"
    )


@pytest.mark.usefixtures("record")
def test_the_claims_say_where_and_with_what_they_were_measured(repository):
    text = filled(repository, "<!-- nexus:claims -->\n<!-- /nexus -->\n")

    assert text == dedent("""
        <!-- nexus:claims -->

        | claim | refuted | holds |
        | --- | --- | --- |
        | `burst-is-bounded`<br>Of 2,000 requests 100 get in. | `drf_throttle`: admitted 460 > 106 | `token_bucket`: admitted 100 <= 106 |
        | `no-cliff`<br>No window admits more. | not recorded yet |  |

        Recorded 2026-11-21 on the embedded stack: AMD EPYC (2 cores, 3.8 GiB, Linux 6.1 x86_64), with django 6.1.

        <!-- /nexus -->
        """)  # noqa: E501


def test_a_claim_of_the_other_stack_alone_is_shown_from_there(repository, record):
    claims = {**CLAIMS, "edge-is-fresh": "A purge is seen."}
    alone = replace(run("layered", 0, holds=True), claim="edge-is-fresh")
    both = run("token_bucket", 99, holds=True)
    recording = Recording("compose", date(2026, 11, 22), MACHINE, {}, (both, alone))
    results.add(record, "rate_limiting", claims, recording)

    text = filled(
        repository,
        "<!-- nexus:claims -->\n<!-- /nexus -->\n\n"
        "At <!-- nexus:measured edge-is-fresh layered --><!-- /nexus -->, "
        "<!-- nexus:measured burst-is-bounded token_bucket --><!-- /nexus -->.\n",
    )

    assert "-->0<!-- /nexus -->, " in text
    assert "-->100<!-- /nexus -->." in text
    assert "A purge is seen. |  | `layered`: admitted 0 <= 106 |" in text
    assert "on the embedded stack (`burst-is-bounded`): AMD" in text
    assert "on the compose stack (`edge-is-fresh`): AMD" in text


def test_a_verdict_that_is_not_as_declared_is_marked(repository, record):
    text = record.read_text().replace('"expected": true', '"expected": false')
    record.write_text(text)

    text = filled(repository, "<!-- nexus:claims -->\n<!-- /nexus -->\n")

    assert "`token_bucket`: admitted 100 <= 106 (**not as declared**)" in text


def test_without_a_record_the_blocks_say_how_to_make_one(repository):
    text = filled(
        repository,
        "<!-- nexus:chart a -->\n<!-- /nexus -->\n<!-- nexus:claims stack=compose -->\n"
        "<!-- /nexus -->\n<!-- nexus:bench -->\n<!-- /nexus -->\n"
        "a <!-- nexus:figure a b --><!-- /nexus -->\n",
    )

    assert "*Not recorded yet: `make prove EXAMPLE=rate_limiting RECORD=1`.*" in text
    assert "*Not recorded yet: `make prove EXAMPLE=rate_limiting STACK=compose RECORD=1`.*" in text
    assert "*Not recorded yet: `make bench EXAMPLE=rate_limiting RECORD=1`.*" in text
    assert "<!-- nexus:figure a b -->not recorded yet<!-- /nexus -->" in text


@pytest.mark.usefixtures("record")
def test_a_chart_is_a_picture_for_each_theme_and_its_figures_in_words(repository):
    text = filled(
        repository,
        "<!-- nexus:chart burst-is-bounded example=rate_limiting -->\n<!-- /nexus -->\n",
        "docs/a.md",
    )

    assert text == dedent("""
        <!-- nexus:chart burst-is-bounded example=rate_limiting -->

        <picture>
        <source media="(prefers-color-scheme: dark)" srcset="../results/rate_limiting/burst-is-bounded-dark.svg">
        <img src="../results/rate_limiting/burst-is-bounded-light.svg" alt="Requests admitted. drf_throttle: admitted 460 &gt; 106, refuted. token_bucket: admitted 100 &lt;= 106, holds.">
        </picture>

        Requests admitted, by seconds. Dotted: the bound of `burst-is-bounded`.

        <!-- /nexus -->
        """)  # noqa: E501
    for name in PICTURES:
        picture = (repository / name).read_text()
        assert "drf_throttle 460" in picture
        assert "bound 106" in picture


CHART = "<!-- nexus:chart burst-is-bounded -->\n<!-- /nexus -->\n"


@pytest.mark.usefixtures("record")
def test_a_picture_that_is_missing_or_differs_is_stale_and_comes_back_with_the_same_bytes(
    repository,
):
    filled(repository, CHART)
    dark, light = (repository / name for name in PICTURES)
    before = [dark.read_bytes(), light.read_bytes()]
    dark.write_text("<svg/>")
    light.unlink()

    stale = sync(repository, check=True)

    assert [str(each) for each in stale] == [f"{name}:1: picture" for name in PICTURES]
    assert dark.read_text() == "<svg/>"
    assert not light.exists()
    sync(repository, check=False)
    assert [dark.read_bytes(), light.read_bytes()] == before
    assert sync(repository, check=True) == []


@pytest.mark.usefixtures("record")
def test_a_picture_that_no_page_shows_any_more_goes(repository):
    filled(repository, CHART)
    write(repository, "Nothing.\n")

    assert [each.block for each in sync(repository, check=True)] == ["shown nowhere"] * 2
    assert (repository / PICTURES[0]).exists()
    sync(repository, check=False)
    assert not (repository / PICTURES[0]).exists()


@pytest.mark.usefixtures("record")
def test_a_picture_is_not_drawn_in_two_ways(repository):
    write(
        repository, CHART.replace("bounded -->", "bounded example=rate_limiting -->"), "docs/a.md"
    )
    write(repository, CHART.replace("bounded -->", "bounded token_bucket -->"))

    with pytest.raises(WriteupError, match="is drawn twice"):
        sync(repository, check=False)


def test_a_chart_of_a_claim_without_an_experiment_is_refused(repository, record):
    record.write_text(record.read_text().replace("burst-is-bounded", "burst-is-unbounded"))
    write(repository, CHART.replace("is-bounded", "is-unbounded"))

    with pytest.raises(WriteupError, match="has no experiment: rate_limiting has no claim"):
        sync(repository, check=False)


def test_a_chart_without_points_says_how_to_record_them(repository, record):
    kept = results.load(record)
    runs = tuple(replace(each, points=()) for each in kept.recordings[0].runs)
    results.save(record, replace(kept, recordings=(replace(kept.recordings[0], runs=runs),)))

    assert "*Not recorded yet: `make prove" in filled(repository, CHART)


def test_columns_of_the_bench_are_drawn_as_a_line_for_each_name(repository):
    rows = (("copied", 10, 0.5), ("copied", 1000, 7), ("moved", 10, 0.4), ("moved", 1000, 0.6))
    bench = Bench(date(2026, 11, 21), MACHINE, {}, ("how", "rows", "taken, s"), rows)
    asked = "<!-- nexus:growth 1 2 3 -->\n<!-- /nexus -->\n"
    assert "make bench EXAMPLE=rate_limiting RECORD=1" in filled(repository, asked)
    results.add_bench(repository / "results" / "rate_limiting.json", "rate_limiting", bench)

    text = filled(repository, asked)

    assert 'alt="taken, s, by rows: copied 7, moved 0.6"' in text
    assert "\nTaken, s, by rows.\n" in text
    for theme in ("dark", "light"):
        drawn = (repository / f"results/rate_limiting/growth-{theme}.svg").read_text()
        assert "copied 7" in drawn
        assert "moved 0.6" in drawn
    for wrong in ("1 2 4", "0 2 3", "2 1 3", "one 2 3"):
        write(repository, asked.replace("1 2 3", wrong))
        with pytest.raises(WriteupError, match="three of 1 how, 2 rows, 3 taken, s; two"):
            sync(repository, check=True)


def test_the_bench_is_a_table_with_numbers_to_the_right(repository):
    rows = (("PING", 1), ("limits", 0.51234))
    bench = Bench(date(2026, 11, 21), MACHINE, {"limits": "5.0"}, ("peer", "ratio"), rows)
    results.add_bench(repository / "results" / "rate_limiting.json", "rate_limiting", bench)

    text = filled(repository, "<!-- nexus:bench -->\n<!-- /nexus -->\n")

    assert "| peer | ratio |\n| --- | ---: |\n| PING | 1 |\n| limits | 0.5123 |\n" in text
    assert "Recorded 2026-11-21: AMD EPYC" in text
    elsewhere = filled(repository, "<!-- nexus:bench stack=compose -->\n<!-- /nexus -->\n")
    assert "make bench EXAMPLE=rate_limiting STACK=compose RECORD=1" in elsewhere


@pytest.mark.usefixtures("record")
def test_points_of_another_axis_are_not_drawn(repository):
    claim = repository / "examples/rate_limiting/experiments/burst_is_bounded.py"
    claim.write_text(claim.read_text().replace('admitted")', 'admitted", x="clients")'))

    assert "*Not recorded yet: `make prove" in filled(repository, CHART)
    assert not (repository / PICTURES[0]).exists()


OUTPUT = "<!-- nexus:output plans board -->\n<!-- /nexus -->\n"


def test_what_a_command_printed_is_shown_as_it_was(repository):
    outputs = Outputs(date(2026, 11, 21), MACHINE, {}, {"plans board": "Limit\n└─ Sort"})
    results.add_outputs(repository / "results" / "rate_limiting.json", "rate_limiting", outputs)

    assert "```text\n$ python manage.py plans board\nLimit\n└─ Sort\n```" in filled(
        repository, OUTPUT
    )


def test_a_command_that_was_not_recorded_says_how_to(repository):
    assert "*Not recorded yet: `make prove EXAMPLE=rate_limiting RECORD=1`.*" in filled(
        repository, OUTPUT
    )


def test_the_headline_takes_the_last_of_each_verdict(repository, record):
    write(
        repository,
        """
        # Rate limiting

        <!-- a remark -->

        A bucket [bounds](#x) a burst
        to <!-- nexus:measured burst-is-bounded token_bucket --><!-- /nexus -->.

        <!-- nexus:chart burst-is-bounded -->
        <!-- /nexus -->
        """,
    )
    more = (run("unprotected", 2000, holds=False), run("fixed_window", 100, holds=True))
    kept = results.load(record)
    first = replace(kept.recordings[0], runs=more + kept.recordings[0].runs)
    results.save(record, replace(kept, recordings=(first,)))

    text = filled(repository, "<!-- nexus:headline -->\n<!-- /nexus -->\n", "README.md")

    assert (
        "| [Rate limiting](examples/rate_limiting/README.md) | A bucket bounds a burst to 100. | "
        "`drf_throttle`: admitted 460 > 106<br>`token_bucket`: admitted 100 <= 106 |\n"
    ) in text


def test_the_headline_is_in_the_order_in_which_one_learns(repository):
    for name, order in (("admission", 3), ("rate_limiting", 2), ("zones", 1)):
        write(repository, f"# {name}\n\nOne sentence.\n", f"examples/{name}/README.md")
        text = f"x-nexus: {{order: {order}}}\nservices: {{web: {{}}}}\n"
        write(repository, text, f"examples/{name}/compose.yml")

    text = filled(repository, "<!-- nexus:headline -->\n<!-- /nexus -->\n", "README.md")

    assert re.findall(r"\(examples/(\w+)/README.md\)", text) == [
        "zones",
        "rate_limiting",
        "admission",
    ]


def test_the_tree_says_what_each_file_is_for(repository):
    text = filled(repository, "<!-- nexus:tree -->\n<!-- /nexus -->\n")

    assert text == dedent("""
        <!-- nexus:tree -->

        ```text
        rate_limiting/
          compose.yml            the services it needs, and its processes as containers
          Procfile               its processes: release, web, worker
          README.md              the write-up
          experiments/
            burst_is_bounded.py
          limiter/               Token buckets
            token_bucket.lua     Times are microseconds; KEYS[1] is the bucket
            token_bucket.py      A token bucket in Redis
        ```

        <!-- /nexus -->
        """)


def test_the_tree_leaves_out_what_a_reader_has_written(repository):
    empty = "<!-- nexus:tree -->\n<!-- /nexus -->\n"
    before = filled(repository, empty)
    (repository / "examples/rate_limiting/limiter/mine.py").write_text('"""Mine."""\n')

    assert filled(repository, empty) == before


def test_a_page_of_the_hub_takes_numbers_from_the_source_and_sentences_from_other_pages(repository):
    page = repository / "docs" / "README.md"
    (page.parent / "concepts").mkdir(parents=True)
    (page.parent / "concepts" / "lock.md").write_text(
        "# Lock\n\n**A lock** is a promise. It ends.\n"
    )
    (page.parent / "concepts" / "wait.md").write_text("# Wait\n\nWho waits? You.\n")
    page.write_text(
        "<!-- nexus:setting limiter/token_bucket.py::LIMIT example=rate_limiting --><!-- /nexus -->\n"
        "<!-- nexus:index concepts -->\n<!-- /nexus -->\n"
        "<!-- nexus:lesson example=nope --><!-- /nexus -->\n"
    )
    sync(repository, check=False)

    assert "-->100<!--" in page.read_text()
    assert "- [A lock](concepts/lock.md) is a promise.\n" in page.read_text()
    assert "- [Wait](concepts/wait.md): Who waits?\n" in page.read_text()
    assert "*no example yet*" in page.read_text()


def test_a_setting_that_has_several_numbers_says_which(repository):
    source = repository / "examples/rate_limiting/limits.py"
    source.write_text('WAIT = read("WAIT_2", "0.1", 60)  # 5\nMOST, LEAST = 2_000, 1\n')
    names = ("WAIT 1", "WAIT 2", "MOST 1", "LEAST 2")
    asked = [f"<!-- nexus:setting limits.py::{each} --><!-- /nexus -->" for each in names]

    text = filled(repository, "\n".join(asked))

    assert re.findall("-->(.*?)<!--", text) == ["0.1", "60", "2,000", "1"]


def test_the_commands_come_from_the_makefile(repository):
    text = filled(repository, "<!-- nexus:commands -->\n<!-- /nexus -->\n", "README.md")

    assert "| `make help` | print the commands |\n" in text
    assert "| `make run EXAMPLE=…` | start an example: at once |\n" in text
    assert "| `make test [EXAMPLE=…]` | verify [STACK=embedded\\|compose] |\n" in text
    assert "hidden" not in text


def test_a_service_is_copied_with_its_comments(repository):
    text = filled(
        repository,
        """
        services:
          # sync: compose/services.yml redis
          redis: {}
          # end sync
          web: {}
        """,
        "examples/rate_limiting/compose.yml",
    )

    assert text == dedent("""
        services:
          # sync: compose/services.yml redis
          redis:
            image: ${REDIS_IMAGE:-redis:8}
            # why
            command: [redis-server]
          # end sync
          web: {}
        """)
    assert sync(repository, check=True) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "# sync: compose/services.yml redi\n# end sync\n",
            "compose/services.yml has no service 'redi'",
        ),
        ("# sync: compose/no.yml redis\n# end sync\n", "there is no file compose/no.yml"),
        ("# sync: compose/services.yml redis\n", "`# sync:` has no `# end sync`"),
    ],
)
def test_a_service_that_cannot_be_copied_is_refused(repository, text, problem):
    write(repository, text, "examples/rate_limiting/compose.yml")

    with pytest.raises(WriteupError) as caught:
        sync(repository, check=False)

    assert str(caught.value) == f"examples/rate_limiting/compose.yml:1: {problem}."


def test_the_last_service_ends_where_the_services_end():
    assert service(SERVICES, "services.yml", "postgres") == "postgres:\n  image: postgres:17"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.py", '"""Do it: at once. And well.\n\nMore.\n"""\n', "Do it: at once"),
        ("a.py", f'"""Do it: {90 * "x"}."""\n', "Do it"),
        ("a.py", "x = 1\n", ""),
        ("a.conf", "# In front of\n# the web.\n\n# not this\n", "In front of the web"),
        ("a.sh", "#!/bin/sh\necho\n", ""),
    ],
)
def test_a_file_is_summed_up_by_its_first_sentence(name, text, says):
    assert summary(text, name) == says


def test_line_endings_and_prose_of_a_page_survive(repository):
    path = repository / "a.md"
    path.write_bytes(b"one\r\ntwo  \r\n\tthree\x0c\n\n\nlast without end")

    assert sync(repository, check=False) == []
    assert path.read_bytes() == b"one\r\ntwo  \r\n\tthree\x0c\n\n\nlast without end"


def test_a_stale_block_is_written_as_file_line_and_name(tmp_path):
    assert str(Stale(tmp_path / "a.md", 3, "claims")) == f"{tmp_path}/a.md:3: claims"


pieces = st.sampled_from(
    [
        "```python a.py::f",
        "```",
        "````",
        "~~~ text b.txt",
        "~~~",
        "  ```sql c.sql",
        "<!-- nexus:claims -->",
        "<!-- nexus:no -->",
        "<!-- /nexus -->",
        "a <!-- nexus:figure x y -->old<!-- /nexus --> b",
        "`<!-- nexus:figure x y -->` `` ` ``",
        "    # sync: compose/services.yml redis",
        "# end sync",
        "",
        "prose",
        "\tprose\r",
    ]
)
pages = st.lists(pieces | st.text(max_size=12), max_size=14).map("\n".join)
contents = st.lists(st.sampled_from(["x = 1", "  y", "```", "````` z", "~~~~", ""])).map("\n".join)


@given(pages, contents)
def test_filling_twice_changes_nothing_more(page, content):
    def block(name, _):
        if name == "no":
            raise ValueError(name)
        return content.replace("\n", " ") if name == "figure" else content

    once = fill_markdown(page, lambda *_: content, block)
    twice = fill_markdown(once.text, lambda *_: content, block)

    assert twice.text == once.text
    assert twice.changed == []
    assert [message for _, message in twice.problems] == [message for _, message in once.problems]


@given(pages, contents)
def test_copying_services_twice_changes_nothing_more(page, content):
    once = fill_compose(page, lambda *_: content)

    assert fill_compose(once.text, lambda *_: content).text == once.text


@given(pages)
def test_a_page_whose_blocks_are_as_they_were_keeps_every_byte(page):
    def refuse(*_):
        raise ValueError("never asked for")

    assert fill_markdown(page, refuse, refuse).text == page
    assert fill_compose(page, refuse).text == page
