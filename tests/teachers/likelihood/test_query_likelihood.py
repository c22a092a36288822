from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Cost, Task
from harness.ledger.calls import Call
from harness.ledger.ledger import Ledger
from harness.llm.local_weights import causal_folder, load_tokenizer
from harness.models import resolve_model
from harness.progress import silent
from harness.teachers.likelihood import query_likelihood
from harness.teachers.make import teacher_from
from tests.teachers.tiny import make_tasks

pytestmark = pytest.mark.models


def label(tasks: Sequence[Task], ledger: Ledger, **settings: Any) -> list[Ranking]:
    return list(teacher_from({"kind": "likelihood", "precision": "fp32", **settings}).label(tasks, ledger, silent))


def naive(folder: Path, tasks: Sequence[Task], limit: int = 160, query_limit: int = 32) -> list[dict[str, float]]:
    """Every pair on its own through the model as transformers has it, in float32."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = load_tokenizer(folder)
    found = []
    for task in tasks:
        scores = {}
        for candidate in task.candidates:
            before = tokenizer.encode("Passage:").ids
            words = candidate.text.strip()
            for text in (f" {words}" if words else "", " The topic of this passage is"):
                before += tokenizer.encode(text, add_special_tokens=False).ids[:limit]
            query = tokenizer.encode(f" {task.text}", add_special_tokens=False).ids[:query_limit]
            with torch.inference_mode():
                table = model(torch.tensor([before + query])).logits[0].log_softmax(-1)
            scores[candidate.id] = sum(
                table[len(before) - 1 + place, token].item() for place, token in enumerate(query)
            )
        found.append(scores)
    return found


def scores_of(ranking: Ranking) -> dict[str, float]:
    assert ranking.scores is not None
    return dict(zip(ranking.ranked, ranking.scores, strict=True))


def test_scores_are_those_of_scoring_every_pair_alone(tiny: Path, ledger: Ledger) -> None:
    tasks = make_tasks(12, 6, 25)
    for ranking, expected in zip(label(tasks, ledger, model=str(tiny)), naive(tiny, tasks), strict=True):
        assert scores_of(ranking) == pytest.approx(expected, abs=1e-3)
        assert list(ranking.ranked) == sorted(expected, key=lambda id: (expected[id], id), reverse=True)
        assert json.loads(ranking.raw) == scores_of(ranking)


def test_passages_longer_than_a_row_and_cut_queries(tiny: Path, ledger: Ledger) -> None:
    long = Task(
        "q",
        "semantic web search for music and more",
        (Candidate("a", "neural graph models " * 300), Candidate("b", "music " * 30)),
    )
    (ranking,) = label([long], ledger, model=str(tiny), max_passage_tokens=700, max_query_tokens=5)
    assert scores_of(ranking) == pytest.approx(naive(tiny, [long], 700, 5)[0], abs=1e-3)


@pytest.mark.models
def test_the_bundled_model_scores_as_transformers_does(ledger: Ledger) -> None:
    tasks = [
        Task(
            "1",
            "Knowledge graph",
            (
                Candidate("a", "Linked data and ontologies on the web."),
                Candidate("b", "A recipe for apple pie with cinnamon."),
            ),
        ),
        Task(
            "2",
            "cooking",
            (
                Candidate("b", "A recipe for apple pie with cinnamon."),
                Candidate("a", "Linked data and ontologies on the web."),
            ),
        ),
    ]
    found = label(tasks, ledger)
    assert [ranking.ranked for ranking in found] == [("a", "b"), ("b", "a")]
    for ranking, expected in zip(
        found, naive(causal_folder(resolve_model("bundled:smollm2-135m")), tasks), strict=True
    ):
        assert scores_of(ranking) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_score_does_not_depend_on_its_neighbours_to_the_last_bit(tiny: Path, tmp_path: Path, precision: str) -> None:
    tasks = make_tasks(40, 8, 60)
    together = label(tasks, Ledger(tmp_path / "together"), model=str(tiny), precision=precision)
    alone = [
        label([task], Ledger(tmp_path / task.query), model=str(tiny), precision=precision)[0] for task in tasks[::8]
    ]
    assert alone == together[::8]
    partly = Ledger(tmp_path / "partly")
    label(tasks[5:30:3], partly, model=str(tiny), precision=precision)
    assert label(tasks, partly, model=str(tiny), precision=precision) == together


def test_nothing_is_paid_twice_and_the_estimate_is_what_is_paid(tiny: Path, ledger: Ledger) -> None:
    tasks = make_tasks(10, 5, 12)
    teacher = teacher_from({"kind": "likelihood", "model": str(tiny), "precision": "fp32"})
    label(tasks[:4], ledger, model=str(tiny))
    already, expected = ledger.paid, teacher.estimate(tasks, ledger)
    assert expected.calls > 0
    assert expected.exact
    list(teacher.label(tasks, ledger, silent))
    assert ledger.paid.calls - already.calls == expected.calls
    assert ledger.paid.input_tokens - already.input_tokens == expected.input_tokens
    assert 0 < ledger.paid.cached_tokens < ledger.paid.input_tokens
    assert (ledger.paid.usd, teacher.estimate(tasks, ledger)) == (0.0, Cost())
    list(teacher.label(tasks, ledger, silent))
    assert ledger.paid.calls - already.calls == expected.calls


def test_equal_texts_under_several_ids_are_one_call(tiny: Path, ledger: Ledger) -> None:
    twins = tuple(Candidate(id, "knowledge bases") for id in ("a", "c", "b"))
    (ranking, other) = label([Task("1", "search", twins), Task("2", "search", twins)], ledger, model=str(tiny))
    assert ranking.ranked == other.ranked == ("c", "b", "a"), "ties fall as in trec_eval"
    assert ledger.paid.calls == 1


def test_the_ledger_shows_what_the_model_saw(tiny: Path, ledger: Ledger) -> None:
    label([Task("1", " music ", (Candidate("a", "neural search"),))], ledger, model=str(tiny))
    (call,) = ledger.calls()
    assert json.loads(call.request) == {
        "passage": "<s>Passage: neural search The topic of this passage is",
        "continuation": " music",
    }
    assert json.loads(call.response)["tokens"] >= 1
    assert call.model == str(tiny)


def test_the_mean_is_the_sum_by_tokens_and_asks_nothing_anew(tiny: Path, ledger: Ledger) -> None:
    tasks = make_tasks(3, 4, 8)
    sums = label(tasks, ledger, model=str(tiny))
    paid = ledger.paid
    means = label(tasks, ledger, model=str(tiny), normalise="mean")
    tokenizer = load_tokenizer(tiny)
    assert ledger.paid == paid
    for task, whole, mean in zip(tasks, sums, means, strict=True):
        tokens = len(tokenizer.encode(f" {task.text}", add_special_tokens=False).ids)
        assert scores_of(mean) == pytest.approx(
            {id: score / tokens for id, score in scores_of(whole).items()}, abs=1e-5
        )


def test_an_empty_query_has_no_order(tiny: Path, ledger: Ledger) -> None:
    (ranking,) = label(
        [Task("1", "  ", (Candidate("a", "neural search"), Candidate("b", "")))], ledger, model=str(tiny)
    )
    assert ranking == Ranking("1", (), ("a", "b"), "failed", "the query is empty")
    assert ledger.paid.calls == 0
    assert label([], ledger, model=str(tiny)) == []


def test_progress_counts_pairs_up_to_all(tiny: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_likelihood, "_CHUNK_TOKENS", 300)
    told: list[tuple[int, int, str]] = []
    tasks = make_tasks(10, 5, 30)
    list(teacher_from({"kind": "likelihood", "model": str(tiny)}).label(tasks, ledger, lambda *now: told.append(now)))
    done = [now[0] for now in told]
    assert done == sorted(done)
    assert len(done) > 3
    assert (done[0], done[-1]) == (0, told[-1][1])
    assert {now[2] for now in told} == {"pairs"}


_KILLED = """
import os, signal, sys
from pathlib import Path
from harness.ledger.ledger import Ledger
from harness.teachers.likelihood import query_likelihood
from tests.teachers.likelihood.test_query_likelihood import label
from tests.teachers.tiny import make_tasks

class Dying(Ledger):
    batches = 0
    def put_many(self, calls):
        super().put_many(calls)
        self.batches += 1
        if self.batches == 2:
            os.kill(os.getpid(), signal.SIGKILL)

query_likelihood._CHUNK_TOKENS = 400
label(make_tasks(30, 6, 50), Dying(Path(sys.argv[1])), model=sys.argv[2], precision="bf16")
"""


def test_a_killed_labelling_goes_on_to_the_same_scores(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_likelihood, "_CHUNK_TOKENS", 400)
    tasks = make_tasks(30, 6, 50)
    undisturbed = Ledger(tmp_path / "undisturbed")
    expected = label(tasks, undisturbed, model=str(tiny), precision="bf16")
    root = Path(__file__).parents[3]
    child = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path / "killed"), str(tiny)],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    resumed = Ledger(tmp_path / "killed")
    kept = len(resumed)
    assert 0 < kept < len(undisturbed)
    assert label(tasks, resumed, model=str(tiny), precision="bf16") == expected
    assert resumed.paid.calls == len(undisturbed) - kept
    assert [_timeless(call) for call in resumed.calls()] == [_timeless(call) for call in undisturbed.calls()]


def _timeless(call: Call) -> Call:
    return call._replace(seconds=0.0, created=0.0, cached_tokens=0)


def test_identity_is_what_can_change_an_answer(tiny: Path, tmp_path: Path) -> None:
    def identity(**settings: Any) -> str:
        return teacher_from(
            {"kind": "likelihood", "model": str(tiny), "precision": "fp32", **settings}, tmp_path
        ).identity

    (tmp_path / "copy.yaml").write_text(
        'summary: other words\ntext: "Passage: {passage} The topic of this passage is {query}"\n'
    )
    assert identity(prompt="copy.yaml") == identity()
    others = [
        identity(prompt="question"),
        identity(max_passage_tokens=80),
        identity(max_query_tokens=8),
        identity(normalise="mean"),
        identity(precision="bf16"),
        identity(model="bundled:smollm2-135m"),
    ]
    assert len({identity(), *others}) == 7


def test_what_is_no_language_model_is_said_to_be_none(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(UserError, match="no model"):
        teacher_from({"kind": "likelihood", "model": "absent"}, tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("{}")
    with pytest.raises(UserError, match="tokenizer"):
        label(make_tasks(1, 2, 3), ledger, model=str(tmp_path / "empty"))
