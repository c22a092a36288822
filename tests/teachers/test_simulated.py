"""Simulated teachers: as good as asked for by trec_eval's and scipy's measure, and the same ranking at every budget."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from harness.errors import UserError, UserErrors
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task, Teacher
from harness.leaderboard.board import load_board
from harness.ledger.ledger import Ledger
from harness.published.result_folder import read_card
from harness.teachers.make import teacher_from
from tests.labelling.labels.test_label_stage import Bench, bench, labels, run
from tests.leaderboard.runs import make_card, make_run, put, teacher

__all__ = ["bench"]


def pool(size: int, seed: int = 0, depth: int = 20) -> list[Task]:
    """Queries with grades 1 to 3 on up to five candidates, 1 on a document that was not found and -1 on the last
    candidate."""
    generator = random.Random(seed)
    tasks = []
    for number in range(size):
        ids = [f"d{number}-{place}" for place in range(generator.randint(2, depth))]
        judged = generator.sample(ids, min(len(ids), generator.choice([0, 1, 1, 2, 5])))
        gold = {f"lost{number}": 1, ids[-1]: -1} | {id: generator.randint(1, 3) for id in judged}
        tasks.append(Task(f"q{number}", "", tuple(Candidate(id, "") for id in ids), gold))
    return tasks


def calibrated(tasks: list[Task], **how: Any) -> Teacher:
    return teacher_from({"kind": "simulated", **how}).calibrated(tasks)


def answers(teacher: Teacher, tasks: Iterable[Task], ledger: Ledger) -> dict[str, Ranking]:
    asked = list(tasks)
    return {ranking.query: ranking for ranking in teacher.label(asked, ledger, lambda done, total, unit="": None)}


def relevant(tasks: Iterable[Task]) -> list[Task]:
    return [task for task in tasks if any(task.gold.get(candidate.id, 0) > 0 for candidate in task.candidates)]


def ndcg(tasks: Iterable[Task], found: dict[str, Ranking]) -> float:
    qrels = {task.query: task.gold for task in relevant(tasks)}
    runs = {query: {id: float(-place) for place, id in enumerate(found[query].ranked)} for query in qrels}
    return float(
        np.mean(
            [
                row["ndcg_cut_10"]
                for row in pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut_10"}).evaluate(runs).values()
            ]
        )
    )


def tau(tasks: Iterable[Task], found: dict[str, Ranking]) -> float:
    values = []
    for task in relevant(tasks):
        grades = [max(task.gold.get(id, 0), 0) for id in found[task.query].ranked]
        if len(set(grades)) > 1:
            values.append(kendalltau(grades, range(len(grades), 0, -1)).statistic)
    return float(np.mean(values))


MEASURES = {"nDCG@10": ndcg, "tau": tau}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("metric", "value"), [("nDCG@10", 0.55), ("nDCG@10", 0.7), ("tau", 0.2), ("tau", 0.5)])
def test_the_wanted_quality_is_reached(metric: str, value: float, seed: int, ledger: Ledger) -> None:
    tasks = pool(300, seed)
    made = calibrated(tasks, quality={"metric": metric, "value": value}, seed=seed)
    found = answers(made, tasks, ledger)
    told = made.facts()["quality"]
    assert MEASURES[metric](tasks, found) == pytest.approx(value, abs=0.01)
    assert told["nDCG@10"] == pytest.approx(ndcg(tasks, found), abs=1e-5) and told["tau"] == pytest.approx(
        tau(tasks, found), abs=1e-5
    )
    assert (told["queries"], told["pool"]) == (len(relevant(tasks)), 300) and told["queries"] < 300
    assert told["wanted"] == {"metric": metric, "value": value}
    # The noise that is told gives it too, but for a list that stands on the edge.
    same = calibrated(tasks, noise=told["noise"], seed=seed).facts()["quality"]
    assert same["nDCG@10"] == pytest.approx(told["nDCG@10"], abs=0.005)


def test_less_noise_is_a_better_teacher_and_none_is_an_oracle(ledger: Ledger) -> None:
    tasks = pool(400)
    told = [calibrated(tasks, noise=noise).facts()["quality"] for noise in (0, 0.3, 1, 3, 30)]
    for metric in ("nDCG@10", "tau"):
        values = [row[metric] for row in told]
        assert values == sorted(values, reverse=True) and values[0] - values[-1] > 0.2
    found = answers(teacher_from({"kind": "simulated", "noise": 0}), tasks, ledger)
    task = tasks[3]
    by_grade = sorted((candidate.id for candidate in task.candidates), key=lambda id: -max(task.gold.get(id, 0), 0))
    assert list(found["q3"].ranked) == by_grade


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_query_gets_one_ranking_whatever_else_is_asked(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    tasks = pool(40)
    made = calibrated(tasks, quality={"value": 0.7})
    part = data.draw(st.lists(st.sampled_from(tasks), unique_by=lambda task: task.query, min_size=1))
    whole = answers(made, tasks, ledger)
    assert answers(calibrated(tasks, quality={"value": 0.7}), part, ledger) == {
        task.query: whole[task.query] for task in part
    }


def test_labels_of_a_small_budget_are_those_of_a_large_one(bench: Bench) -> None:
    def simulated() -> Teacher:
        return teacher_from({"kind": "simulated", "quality": {"value": 0.8}})

    large, summary = run(labels(simulated(), size=5), bench, "large")
    small, again = run(labels(simulated(), size=2), bench, "small")
    other, _ = run(labels(simulated(), size=3, resample=1), bench, "other")
    by_query = {ranking.query: ranking for ranking in large}
    assert all(by_query[ranking.query] == ranking for ranking in [*small, *other])
    # q4 found nothing, so it does not count.
    assert summary["quality"] == again["quality"] and (summary["quality"]["queries"], summary["quality"]["pool"]) == (
        4,
        5,
    )


def test_only_teachers_that_need_the_pool_are_calibrated(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "harness.labelling.labels.label_stage.pool_tasks", lambda *given: pytest.fail("the pool was read")
    )
    _, summary = run(labels(teacher_from({"kind": "oracle"})), bench)
    assert "quality" not in summary


def test_seeds_make_other_mistakes_and_the_first_stage_pulls(ledger: Ledger) -> None:
    tasks = pool(200)
    plain, other, pulled = (
        answers(teacher_from({"kind": "simulated", "noise": 1, **more}), tasks, ledger)
        for more in ({"first_stage_weight": 0}, {"first_stage_weight": 0, "seed": 1}, {"first_stage_weight": 5})
    )
    assert sum(plain[query] != other[query] for query in plain) > 150

    def alike(found: dict[str, Ranking]) -> float:
        shown = {task.query: [candidate.id for candidate in task.candidates] for task in tasks}
        places = [[shown[query].index(id) for id in one.ranked] for query, one in found.items()]
        return float(np.mean([kendalltau(row, range(len(row)))[0] for row in places]))

    assert abs(alike(plain)) < 0.1 and alike(pulled) > 0.4


def test_a_quality_out_of_reach_names_the_range(ledger: Ledger) -> None:
    tasks = pool(100)
    with pytest.raises(UserError, match=r"cannot reach nDCG@10 0.999 over the \d+ of 100 queries") as caught:
        calibrated(tasks, quality={"value": 0.999})
    assert caught.value.remedy and "(noise alone) to" in caught.value.remedy
    words = caught.value.remedy.split()
    for value in (float(words[1]), float(words[5])):
        assert calibrated(tasks, quality={"value": value}).facts()["quality"]["nDCG@10"] == pytest.approx(
            value, abs=0.01
        )
    with pytest.raises(UserError, match=r"cannot reach tau -0\.9"):
        calibrated(tasks, quality={"metric": "tau", "value": -0.9})
    blind = [Task(task.query, "", task.candidates, {"lost": 1}) for task in tasks]
    with pytest.raises(UserError, match="over the 0 of 100 queries"):
        calibrated(blind, quality={"value": 0.5})
    assert calibrated(blind, noise=1).facts()["quality"]["nDCG@10"] is None


@pytest.mark.parametrize(
    "both", [{}, {"noise": 1, "quality": {"value": 0.5}}, {"noise": 1, "match": {"nDCG@10": 0.5, "tau": 0.5}}]
)
def test_exactly_one_of_quality_and_noise(both: dict[str, Any]) -> None:
    with pytest.raises(UserErrors, match="exactly one of quality, noise, match and judge"):
        teacher_from({"kind": "simulated", **both})


def test_an_uncalibrated_teacher_does_not_answer(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="calibrated"):
        answers(teacher_from({"kind": "simulated", "quality": {"value": 0.5}}), pool(3), ledger)


def test_identity_holds_every_setting() -> None:
    hows: list[dict[str, Any]] = [
        {"noise": 1},
        {"noise": 1, "seed": 1},
        {"noise": 1, "first_stage_weight": 0},
        {"quality": {"value": 0.5}},
        {"quality": {"value": 0.5, "metric": "tau"}},
    ]
    assert len({teacher_from({"kind": "simulated", **how}).identity for how in hows}) == 5


def test_card_and_board_say_that_it_is_a_simulation(tmp_path: Path) -> None:
    made = teacher(
        "gpt-like", kind="simulated", teacher_type=teacher_from({"kind": "simulated", "noise": 1}).teacher_type
    )
    folder = put(
        tmp_path / "results",
        make_card("one", "intermediate", budget=100, resample=0, seed=0, teacher=made),
        make_run(0.5),
    )
    assert read_card(folder).teacher.teacher_type == "simulated"  # type: ignore[union-attr]
    (row,) = load_board(tmp_path / "results").as_json()["rows"]
    assert "simulated" in row["flags"] and json.dumps(row)


@pytest.mark.shared
def test_as_good_as_a_recorded_llm_on_trec_dl(shared_data: Path, ledger: Ledger) -> None:
    from harness.retrieval.run import Run

    data = shared_data / "trec-dl"
    with (data / "qrels" / "dl19.tsv").open() as stream:
        qrels: dict[str, dict[str, int]] = {}
        for row in csv.DictReader(stream, delimiter="\t"):
            qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    first = Run.read(data / "candidates" / "bm25.dl19.trec")
    tasks = [
        Task(query, "", tuple(Candidate(id, "") for id in first.top(query, 20)), qrels[query]) for query in first.scores
    ]
    recorded = teacher_from({"kind": "recorded", "file": "rankings/gpt-3.5-turbo/bm25.dl19.rep1.trec"}, data)
    wanted = ndcg(tasks, answers(recorded, tasks, ledger))
    placebo = ndcg(tasks, answers(teacher_from({"kind": "first-stage"}), tasks, ledger))
    assert wanted > placebo + 0.05
    made = calibrated(tasks, quality={"metric": "nDCG@10", "value": wanted})
    assert ndcg(tasks, answers(made, tasks, ledger)) == pytest.approx(wanted, abs=0.01)
