"""The experiment that CONTRIBUTING.md shows is one that the harness runs."""

import re
from types import ModuleType

import pytest

from nexus.catalog import ROOT
from nexus.experiment import Experiment, Sample, Samples
from nexus.writeup import OPEN


@pytest.fixture(scope="module")
def page():
    return (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture(scope="module")
def experiment(page) -> Experiment:
    module = ModuleType("experiments")
    block = re.search(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(block[1], vars(module))
    return module.BurstIsBounded()


def test_the_shown_experiment_refutes_by_its_figure(experiment):
    verdict = experiment.judge(Samples([Sample(0, "admitted", 1), Sample(1, "admitted", 460)]), {})

    assert not verdict.holds
    assert verdict.figure == "460 requests admitted, the limit allows 106"


def test_the_shown_experiment_holds_within_its_bound(experiment):
    verdict = experiment.judge(Samples([Sample(0, "admitted", 100)]), {})

    assert verdict.holds
    assert verdict.figure == "100 requests admitted, the limit allows 106"
    assert experiment.refuted
    assert {name: each.unit for name, each in experiment.series().items()} == {
        "admitted": "requests"
    }


def test_what_the_page_shows_of_markup_is_not_filled(page):
    shown = page.partition("````markdown")[2].partition("````")[0]

    assert any(OPEN.match(line) for line in shown.splitlines())
    assert "admitted" not in shown
