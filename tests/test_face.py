"""The public face: what docs and examples promise is there, and does what they say."""

from __future__ import annotations

import doctest
import shutil
from pathlib import Path

import pytest

import harness

ROOT = Path(__file__).parents[1]
EXAMPLES = [name for name in harness.__all__ if name != "__version__"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory as a person has it: sweep files, published runs, a workspace."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(ROOT / "configs", folder / "configs")
    shutil.copytree(ROOT / "results", folder / "results")
    return folder


@pytest.mark.models
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_runs(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    text: list[str] = []
    found = [test for test in doctest.DocTestFinder().find(getattr(harness, name), name, globs={}) if test.examples]
    for test in found:
        runner.run(test, out=text.append)

    assert found
    assert runner.failures == 0, "".join(text)


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sweep'"):
        harness.sweep  # noqa: B018
    assert set(harness.__all__) <= set(dir(harness))


def test_objects_print_on_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    plan = harness.Workspace(tmp_path / "workspace").plan("configs/smoke.yaml", overrides="methods=[bm25]")
    before = repr(plan)
    result = plan.run(tmp_path / "results")

    assert before == "Plan('smoke', 1 cell, 3 stages, 3 to run)"
    assert repr(result).startswith("SweepResult(1 of 1 cells done, results=")
    assert repr(harness.load_board("results")) == "Board('results', 5 tables, 96 rows)"


def test_one_metric_need_not_stand_in_a_list() -> None:
    run = harness.load_run(Path(__file__).parents[1] / "results" / "semanlink" / "bm25-b287f4b1")
    qrels = {query: {next(iter(documents)): 1} for query, documents in run.scores.items()}

    assert harness.evaluate(run, qrels, "RR@10") == harness.evaluate(run, qrels, ["RR@10"])
    assert harness.compare([run, run], qrels, metrics="RR@10")["metric"] == "RR@10"
