"""Published runs are made again by the sweep of their card, and held against what was published."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness.errors import UserError
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.metrics.per_query_file import read_scores, write_scores
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.rerun.published_cell import SweepCommand
from harness.pipeline.rerun.reproduction import Reproducer, Reproduction, chosen_at_random
from harness.published.card_numerics import NumericsSection
from harness.published.result_folder import RUN, publish, read_card
from harness.retrieval.run import Run
from tests.baselines.small import write_collection


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Result folders by method; the sweep was typed as ``harness sweep sweep.yaml``."""
    monkeypatch.chdir(tmp_path)
    write_collection(tmp_path / "data")
    Path("sweep.yaml").write_text("collections: [{folder: data}]\nmethods: [bm25]\nevaluate: {metrics: [RR@10]}\n")
    swept = harness.Workspace("first").plan("sweep.yaml", "evaluate.depth=5").run("results", observer=NullObserver())
    return {read_card(folder).method.name: folder for folder in swept.published}


def again(folder: Path, workspace: str = "second", command: SweepCommand | None = None) -> Reproduction:
    made = Reproducer(harness.Workspace(workspace), Path("again"), command=command, observer=NullObserver())
    return made.reproduce_each([folder])[0]


def test_a_run_comes_out_the_same_in_a_new_workspace(published: dict[str, Path]) -> None:
    made = again(published["bm25"])
    assert (made.verdict, made.is_same, made.same_keys, made.cached) == ("same run", True, True, False)
    assert made.sweep == "sweep.yaml --set evaluate.depth=5"
    assert (
        Run.read(Path("again") / published["bm25"].relative_to("results")).scores == Run.read(published["bm25"]).scores
    )


def test_what_the_workspace_holds_is_said(published: dict[str, Path]) -> None:
    assert again(published["bm25"], "first").cached


def _published_as(folder: Path, run: Run, scores: dict[str, dict[str, float]]) -> None:
    """Puts another outcome into a result folder, as sound as the one before."""
    run.write("changed.trec.gz")
    write_scores(Path("changed.parquet"), scores)
    assert publish(folder, read_card(folder), Path("changed.trec.gz"), Path("changed.parquet"), anew=True)


def test_a_run_that_was_another_differs(published: dict[str, Path]) -> None:
    folder = published["bm25"]
    scores = {name: dict(values) for name, values in read_scores(folder / METRICS).items()}
    first = next(iter(scores["RR@10"]))
    scores["RR@10"][first] += 0.25
    _published_as(folder, Run.read(folder / RUN), scores)
    made = again(folder)
    (change,) = made.changes
    assert (made.verdict, made.is_same, change.metric, change.queries) == ("differs", False, "RR@10", 1)
    moved = change.published - change.now
    assert moved == pytest.approx(0.25 / len(scores["RR@10"]))
    assert made.is_within(moved + 1e-9) and not made.is_within(moved / 2)


def test_a_metric_that_only_one_of_the_two_has_is_named(published: dict[str, Path]) -> None:
    folder = published["bm25"]
    scores = {name: dict(values) for name, values in read_scores(folder / METRICS).items()}
    _published_as(folder, Run.read(folder / RUN), scores | {"nDCG@5": scores["RR@10"]})
    made = again(folder)
    assert (made.verdict, made.changes, made.unmatched) == ("differs", (), ("nDCG@5",))
    assert not made.is_within(1.0)


def test_other_scores_with_the_same_metrics_are_told_apart(published: dict[str, Path]) -> None:
    folder = published["bm25"]
    run = Run.read(folder / RUN)
    doubled = {query: {one: 2 * score for one, score in found.items()} for query, found in run.scores.items()}
    _published_as(folder, Run(run.name, doubled), {name: dict(v) for name, v in read_scores(folder / METRICS).items()})
    assert again(folder).verdict == "same values"


def test_a_sweep_that_cannot_make_it_is_refused_in_words(published: dict[str, Path]) -> None:
    Path("other.yaml").write_text(
        "collections: [{folder: data}]\nmethods: [zero-shot]\nstudents: {retriever: bundled:bert-tiny}\n"
        "evaluate: {metrics: [RR@10]}\n"
    )
    made = again(published["bm25"], command=SweepCommand(Path("other.yaml")))
    assert made.verdict == "failed" and "no cell of other.yaml could be this run" in made.reason
    Path("sweep.yaml").rename("gone.yaml")
    assert "sweep.yaml, is not here (name it: --sweep FILE)" in again(published["bm25"]).reason
    command = SweepCommand(Path("gone.yaml"), ("evaluate.depth=5",))
    assert again(published["bm25"], command=command).verdict == "same run"


def test_settings_that_changed_a_key_are_told(published: dict[str, Path]) -> None:
    made = again(published["bm25"], command=SweepCommand(Path("sweep.yaml"), ("evaluate.depth=4",)))
    assert (made.verdict == "same run", made.same_keys) == (False, False)


def test_other_data_is_refused(published: dict[str, Path]) -> None:
    with Path("data/corpus.jsonl").open("a") as corpus:
        corpus.write('{"_id": "d99", "title": "", "text": "one more"}\n')
    assert "has another content here" in again(published["bm25"]).reason


def test_the_draw_is_the_same_for_a_seed() -> None:
    folders = [Path(name) for name in "abcdefgh"]
    drawn = chosen_at_random(folders, 3, 0)
    assert drawn == chosen_at_random(folders[::-1], 3, 0) != chosen_at_random(folders, 3, 1)
    assert len(set(drawn)) == 3 and chosen_at_random(folders, 99, 0) == folders


def test_a_run_that_no_sweep_made_asks_for_one(published: dict[str, Path]) -> None:
    card = read_card(published["bm25"])
    source = card.implementation["source"]
    for typed in ("", "harness.run_method('bm25')"):
        other = card.model_copy(update={"implementation": {"executable": {"cmd": typed}, "source": source}})
        with pytest.raises(UserError, match="names no sweep"):
            SweepCommand.of(other)


def test_a_run_is_made_again_in_its_numerics_unless_others_were_typed(published: dict[str, Path]) -> None:
    def overrides(*classes: str, typed: str = "") -> tuple[str, ...]:
        told = NumericsSection(classes=classes, devices=("H200",), threads=(1,), versions={})
        command = {"executable": {"cmd": f"harness sweep sweep.yaml{typed}"}}
        card = read_card(published["bm25"]).model_copy(update={"implementation": command, "numerics": told})
        return SweepCommand.of(card).overrides

    assert overrides("cuda-bf16") == ("numerics=cuda-bf16",)
    assert overrides("cpu-bf16", "cuda-bf16") == ()
    assert overrides("cpu-bf16", typed=" --set numerics=cpu-fp32")[-1] == "numerics=cpu-fp32"
