"""What labels of every kind cost: planned as it is paid, published, and counted on the card and on the board."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from harness.labelling.labels.run_labels import LabelsOfRun
from harness.leaderboard.board import load_board
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.published.card import Card
from harness.published.card_costs import LabelsUsed
from harness.published.published_labels import read_labels
from harness.published.result_folder import CARD, read_card
from tests.baselines.small import DEPTH, NAMES, write_collection
from tests.baselines.test_synthetic import Writer
from tests.llm.openai_server import serving

pytestmark = pytest.mark.models

METHODS: list[Any] = [
    {"method": "synthetic-queries", "epochs": 1, "within": None},
    {"method": "syntriever-stages", "epochs": 1, "within": None, "top": 3, "documents_a_label": 1},
    {"method": "supervised", "epochs": 1},
    {"method": "direct", "epochs": 1},
    "zero-shot",
]
BUDGET = 6


class Done(NamedTuple):
    """A sweep with its plan before anything was made."""

    plan: dict[str, Any]
    outcome: SweepResult
    cards: dict[str, Card]
    labels: dict[str, LabelsOfRun | None]
    home: Path


def content(url: str, methods: list[Any]) -> str:
    teacher = {"kind": "litellm", "model": "openai/gpt-4.1-mini", "api_base": url, "price": {"input": 1, "output": 4}}
    sweep = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"},
        "candidates": {"engine": "bm25s", "depth": DEPTH, "training_queries": ["train"]},
        "teachers": {"gpt": teacher},
        "methods": methods,
        "budgets": [BUDGET],
        "evaluate": {"metrics": ["nDCG@10"]},
    }
    return json.dumps(sweep)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    home = tmp_path_factory.mktemp("used")
    write_collection(home / "data")
    with pytest.MonkeyPatch.context() as patch, serving(Writer(held="nobody works here")) as server:
        patch.setenv("OPENAI_API_KEY", "sk-test")
        file = home / "sweep.yaml"
        file.write_text(content(server.url, METHODS))
        plan = Workspace(home / "workspace").plan(file).report()["llm"]
        outcome = Workspace(home / "workspace").plan(file).run(home / "results", observer=NullObserver())
    folders = {read_card(folder).method.name: folder for folder in outcome.published}
    cards = {name: read_card(folder) for name, folder in folders.items()}
    labels = {name: read_labels(folder) for name, folder in folders.items()}
    yield Done(plan, outcome, cards, labels, home)


def test_queries_to_be_written_are_planned_as_they_are_paid(done: Done) -> None:
    paid = done.outcome.summary["llm"]
    # The queries of syntriever-stages are among those of synthetic-queries, and all order methods share their labels.
    assert done.plan["calls"] == paid["calls"] == len(NAMES) + BUDGET
    assert done.plan["usd"] >= paid["usd"] > 0


def test_documents_are_planned_before_candidates_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    write_collection(tmp_path / "data")
    (tmp_path / "sweep.yaml").write_text(
        content("http://127.0.0.1:9/v1", [{"method": "synthetic-queries", "documents_a_label": 2}])
    )
    small = Workspace(tmp_path / "workspace").plan(tmp_path / "sweep.yaml", ["budgets=[1, 2]"]).report()["llm"]
    assert small["calls"] == 4, "of nested budgets only the largest is paid"


@pytest.mark.parametrize(
    ("method", "used"),
    [
        ("synthetic-queries", LabelsUsed(written=len(NAMES))),
        ("syntriever-stages", LabelsUsed(teacher=BUDGET, written=BUDGET)),
        ("supervised", LabelsUsed(gold=BUDGET)),
        ("direct", LabelsUsed(teacher=BUDGET)),
        ("zero-shot", LabelsUsed()),
    ],
)
def test_labels_used_stand_on_card_and_board(done: Done, method: str, used: LabelsUsed) -> None:
    assert done.cards[method].costs.labels_used == used
    (row,) = (row for row in load_board(done.outcome.results).as_json()["rows"] if row["method"] == method)
    assert [row["cost"][f"labels_{part}"] for part in ("used", "teacher", "written", "gold")] == [
        used.total,
        used.teacher,
        used.written,
        used.gold,
    ]


def test_orders_are_published_also_of_methods_that_have_queries_written(done: Done) -> None:
    found = done.labels["syntriever-stages"]
    assert found is not None and (found.header.labels, found.header.rows) == (BUDGET, BUDGET)
    assert all(row.order and row.text and len(row.given) > 1 for row in found.rows)
    direct = done.labels["direct"]
    assert direct is not None and [row.order for row in direct.rows] == [row.order for row in found.rows]
    assert done.labels["synthetic-queries"] is None and done.labels["supervised"] is None


def test_the_seconds_of_labelling_are_those_of_its_calls(done: Done) -> None:
    cards = done.cards
    assert all(card.costs.seconds_standalone is not None for card in cards.values())
    assert cards["zero-shot"].costs.seconds_standalone == pytest.approx(cards["zero-shot"].costs.seconds)
    syntriever = cards["syntriever-stages"]
    # Its written queries were paid by synthetic-queries' larger draw and found.
    assert syntriever.durations_standalone["query-labels"] > syntriever.durations["query-labels"]
    assert syntriever.durations_standalone["labels"] == syntriever.durations["labels"]
    assert set(syntriever.durations_standalone) == {"labels", "query-labels"}
    (row,) = (row for row in load_board(done.outcome.results).as_json()["rows"] if row["method"] == "syntriever-stages")
    assert (row["cost"]["seconds"], row["cost"]["seconds_here"]) == (
        syntriever.costs.seconds_standalone,
        syntriever.costs.seconds,
    )


def test_an_older_card_is_renewed_and_its_run_stays_as_it_is(done: Done, tmp_path: Path) -> None:
    home, results = done.outcome.results.parent, tmp_path / "results"
    shutil.copytree(done.outcome.results, results)
    folders = sorted(file.parent for file in results.glob(f"*/*/{CARD}"))
    before = {file: file.read_bytes() for folder in folders for file in folder.iterdir()}
    for folder in folders:
        card = yaml.safe_load((folder / CARD).read_text())
        for name in ("seconds_standalone", "labels_used"):
            del card["costs"][name]
        card.pop("durations_standalone", None)
        (folder / CARD).write_text(yaml.safe_dump(card, sort_keys=False))
    old = load_board(results).as_json()["rows"]
    assert not any("labels_used" in row["cost"] for row in old), "what an old card does not tell is not 0"
    again = Workspace(home / "workspace").plan(home / "sweep.yaml").run(results, observer=NullObserver())
    assert again.summary["stages"]["run"] == 0
    for file, content in before.items():
        assert file.read_bytes() == content, file.name


def test_runs_without_labels_are_the_same_runs(done: Done) -> None:
    sweep = yaml.safe_load((done.home / "sweep.yaml").read_text())
    sweep["evaluate"]["labels"] = False
    (done.home / "sweep.yaml").write_text(yaml.safe_dump(sweep, sort_keys=False))
    plan = Workspace(done.home / "workspace").plan(done.home / "sweep.yaml")
    outcome = plan.run(done.home / "without", observer=NullObserver())
    assert any(labels is not None for labels in done.labels.values())
    assert all(read_labels(folder) is None for folder in outcome.published)
    assert {read_card(folder).tag for folder in outcome.published} == {card.tag for card in done.cards.values()}
