"""Simulated teachers that are like a real one: quality and tau with the first stage, or a judge's grades."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from harness.errors import UserError, UserErrors
from harness.labelling.labels.agreement import agreement, orders
from harness.labelling.labels.teacher import Task
from harness.ledger.ledger import Ledger
from harness.teachers.judge_confusion import JudgeConfusion
from harness.teachers.make import teacher_from
from tests.teachers.test_simulated import answers, calibrated, ndcg, pool

PERFECT = {"grades": [0, 1, 2, 3], "matrix": np.eye(4).tolist()}
DRAWN = {"grades": [0, 1, 2, 3], "matrix": [[8, 1, 1, 0], [4, 3, 2, 1], [2, 2, 3, 3], [1, 1, 3, 5]]}


def first_stage(tasks: list[Task]) -> dict[str, list[str]]:
    return {task.query: [candidate.id for candidate in task.candidates] for task in tasks}


@pytest.mark.parametrize(("quality", "tau"), [(0.55, 0.3), (0.5, 0.5), (0.7, 0.1)])
def test_both_numbers_are_reached(quality: float, tau: float, ledger: Ledger) -> None:
    tasks = pool(300)
    made = calibrated(tasks, match={"nDCG@10": quality, "tau": tau})
    found = answers(made, tasks, ledger)
    facts = made.facts()["quality"]
    agreed = agreement(orders(found.values()), first_stage(tasks))

    assert ndcg(tasks, found) == pytest.approx(quality, abs=0.02)
    assert agreed["tau"] == pytest.approx(tau, abs=0.02)
    assert facts["nDCG@10"] == pytest.approx(ndcg(tasks, found), abs=1e-5)
    assert facts["first_stage_tau"] == pytest.approx(agreed["tau"], abs=1e-5)
    firsts = np.mean([one.ranked[0] == first_stage(tasks)[query][0] for query, one in found.items()])
    assert facts["same_first"] == pytest.approx(firsts, abs=1e-5)
    assert facts["matched"] and facts["first_stage_weight"] > 0


def test_a_fit_of_quality_alone_follows_the_first_stage_less() -> None:
    tasks = pool(300)
    alone = calibrated(tasks, quality={"value": 0.5}).facts()["quality"]
    both = calibrated(tasks, match={"nDCG@10": 0.5, "tau": 0.5}).facts()["quality"]

    assert alone["first_stage_tau"] < 0.2 < both["first_stage_tau"]
    assert "matched" not in alone


def test_what_cannot_be_matched_is_an_error_and_a_third_number_that_is_off_a_flag() -> None:
    tasks = pool(200)
    with pytest.raises(
        UserError, match=r"not matched: no noise and weight give nDCG@10 0\.98 with tau 0\.9 .*nearest are"
    ):
        calibrated(tasks, match={"nDCG@10": 0.98, "tau": 0.9})
    facts = calibrated(tasks, match={"nDCG@10": 0.55, "tau": 0.3, "first": 0.99}).facts()["quality"]
    assert not facts["matched"] and facts["differences"]["first"] == pytest.approx(facts["same_first"] - 0.99, abs=1e-5)
    with pytest.raises(UserErrors, match="leave it out"):
        teacher_from({"kind": "simulated", "match": {"nDCG@10": 0.5, "tau": 0.5}, "first_stage_weight": 1})


def test_a_judge_that_never_errs_is_an_oracle_and_another_confuses_as_its_matrix_says(
    tmp_path: Path, ledger: Ledger
) -> None:
    tasks = pool(300)
    (tmp_path / "perfect.json").write_text(json.dumps(PERFECT))
    (tmp_path / "drawn.json").write_text(json.dumps(DRAWN))
    made = {
        name: teacher_from({"kind": "simulated", "judge": str(tmp_path / f"{name}.json")})
        for name in ("perfect", "drawn")
    }
    oracle = answers(calibrated(tasks, noise=0), tasks, ledger)

    assert answers(made["perfect"].calibrated(tasks), tasks, ledger) == oracle
    drawn = answers(made["drawn"].calibrated(tasks), tasks, ledger)
    assert 0.3 < ndcg(tasks, drawn) < ndcg(tasks, oracle) - 0.1

    grades = JudgeConfusion.model_validate(DRAWN).drawn(tasks, 20, seed=0)
    pairs = [
        (max(task.gold.get(candidate.id, 0), 0), grades[row, column])
        for row, task in enumerate(tasks)
        for column, candidate in enumerate(task.candidates)
    ]
    for human, row in enumerate(DRAWN["matrix"]):
        given = [judged for one, judged in pairs if one == human]
        shares = [np.mean([judged == grade for judged in given]) for grade in range(4)]
        assert shares == pytest.approx(np.array(row) / sum(row), abs=0.12), human
    taus = kendalltau(*zip(*pairs, strict=True)).statistic
    assert 0.1 < taus < 0.6


def test_the_content_of_the_judges_file_is_its_identity(tmp_path: Path) -> None:
    for name in ("one", "same"):
        (tmp_path / f"{name}.json").write_text(json.dumps(DRAWN))
    (tmp_path / "other.json").write_text(json.dumps(PERFECT))
    one, same, other = (
        teacher_from({"kind": "simulated", "judge": str(tmp_path / f"{name}.json")}).identity
        for name in ("one", "same", "other")
    )

    assert one == same != other


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"grades": [0, 1], "matrix": [[1, 0]]}', "2 rows of 2 numbers"),
        ('{"grades": [1, 0], "matrix": [[1, 0], [0, 1]]}', "must ascend"),
        ('{"grades": [0, 1], "matrix": [[0, 0], [0, 1]]}', "without a single judgment"),
        ('{"grades": [0, 1], "matrix": [[1, -1], [0, 1]]}', "at least 0"),
        ("nothing", "is not JSON"),
    ],
)
def test_a_matrix_that_is_none_is_refused_with_its_file(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "judge.json").write_text(content)
    with pytest.raises(UserError, match=message):
        teacher_from({"kind": "simulated", "judge": str(tmp_path / "judge.json")})
    with pytest.raises(UserError, match="cannot be read"):
        teacher_from({"kind": "simulated", "judge": str(tmp_path / "absent.json")})
