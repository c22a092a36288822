"""The transformers teacher: against plain generation, alone and in batches, guided, cut, sampled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import UserError
from harness.labelling.labels.parser import parse
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.progress import silent
from harness.teachers.make import teacher_from
from tests.teachers.tiny import make_tasks

pytestmark = pytest.mark.models

_TEMPLATE = (
    "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}\n{% endfor %}{% if add_generation_prompt "
    "%}<s>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def chatty(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a chat template, and a token that ends an answer."""
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("chatty") / "model"
    shutil.copytree(tiny, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template, tokenizer.eos_token = _TEMPLATE, "<s>"
    tokenizer.save_pretrained(folder)
    return folder


def make(chatty: Path, **settings: Any) -> Any:
    return teacher_from(
        {"kind": "transformers", "model": str(chatty), "precision": "fp32", "max_tokens": 24, **settings}
    )


def label(chatty: Path, tasks: list[Task], folder: Path, **settings: Any) -> tuple[list[Ranking], Ledger]:
    ledger = Ledger(folder)
    return list(make(chatty, **settings).label(tasks, ledger, silent)), ledger


def raws(found: list[Ranking]) -> list[str]:
    return [ranking.raw for ranking in found]


def test_answers_are_those_of_plain_generation(chatty: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tasks = make_tasks(3, 3, 5)
    found, ledger = label(chatty, tasks, tmp_path / "ledger")
    teacher = make(chatty)
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(chatty, dtype=torch.float32),
        AutoTokenizer.from_pretrained(chatty),
    )
    read = 0
    for task, ranking in zip(tasks, found, strict=True):
        (request,) = next(teacher.asking.session(task))
        text = "".join(f"<s>{role}\n{content}\n" for role, content in request.messages) + "<s>assistant\n"
        prompt = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        out = model.generate(
            prompt, max_new_tokens=24, do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=0
        )
        assert ranking.raw == tokenizer.decode(out[0, prompt.shape[1] :], skip_special_tokens=True)
        read += prompt.shape[1]
    assert ledger.paid.input_tokens == read
    assert make(chatty).estimate(tasks, Ledger(tmp_path / "none")).input_tokens == read


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_answer_does_not_depend_on_its_neighbours(chatty: Path, tmp_path: Path, precision: str) -> None:
    tasks = make_tasks(4, 3, 6)
    together, _ = label(chatty, tasks, tmp_path / "all", precision=precision)
    for number in (2, 0):
        alone, _ = label(chatty, [tasks[number]], tmp_path / str(number), precision=precision)
        assert alone == [together[number]]


def test_batches_are_kept_apart(chatty: Path, tmp_path: Path) -> None:
    tasks = make_tasks(5, 3, 6)
    alone, _ = label(chatty, tasks, tmp_path / "one")
    batched, _ = label(chatty, tasks, tmp_path / "many", batch=3)
    assert raws(batched) == raws(alone), "in float32 a tiny model's decisions are not that close"
    assert make(chatty, batch=3).identity == make(chatty, batch=5).identity != make(chatty).identity
    assert make(chatty, batch=3, temperature=1.0).identity == make(chatty, temperature=1.0).identity


@pytest.mark.parametrize("settings", [{}, {"batch": 4}, {"temperature": 1.0, "sampling_seed": 1}])
def test_guided_answers_are_permutations(chatty: Path, tmp_path: Path, settings: dict[str, Any]) -> None:
    tasks = [task for count in (2, 4, 11) for task in make_tasks(2, count, 12, seed=count)]
    found, _ = label(chatty, tasks, tmp_path / "ledger", guided=True, max_tokens=None, **settings)
    for task, ranking in zip(tasks, found, strict=True):
        assert ranking.verdict == "ok", ranking
        assert parse(ranking.raw, len(task.candidates)).form == "asked"


@pytest.mark.parametrize("strategy", ["pairwise", "setwise", "pointwise", "sliding", "blocks"])
def test_guided_answers_in_every_way_of_asking(chatty: Path, tmp_path: Path, strategy: str) -> None:
    found, _ = label(
        chatty, make_tasks(2, 4, 6), tmp_path / "ledger", guided=True, max_tokens=None, ask={"strategy": strategy}
    )
    assert {ranking.verdict for ranking in found} == {"ok"}


def test_cut_answers_are_seen(chatty: Path, tmp_path: Path) -> None:
    found, ledger = label(chatty, make_tasks(1, 9, 9), tmp_path / "ledger", guided=True, max_tokens=7)
    assert "truncated" in found[0].reason
    assert len(ledger) == 0, "a cut answer is no answer"


def test_samples_follow_the_seed(chatty: Path, tmp_path: Path) -> None:
    tasks = make_tasks(3, 3, 6)
    state = torch.random.get_rng_state()
    seeds = [
        raws(label(chatty, tasks, tmp_path / str(n), temperature=1.5, sampling_seed=seed)[0])
        for n, seed in enumerate((1, 1, 2))
    ]
    assert seeds[0] == seeds[1] != seeds[2]
    assert torch.equal(torch.random.get_rng_state(), state)
    alone, _ = label(chatty, tasks[1:2], tmp_path / "alone", temperature=1.5, sampling_seed=1)
    assert raws(alone) == seeds[0][1:2]


def test_what_does_not_fit_is_said(chatty: Path, tiny: Path, tmp_path: Path) -> None:
    long = Task("q", "music", tuple(Candidate(f"d{n}", "semantic music " * 200) for n in range(12)))
    with pytest.raises(UserError, match="do not fit"):
        label(chatty, [long], tmp_path / "ledger")
    with pytest.raises(UserError, match="no chat template"):
        label(tiny, make_tasks(1, 2, 3), tmp_path / "other")


def test_identity_is_what_can_change_an_answer(chatty: Path) -> None:
    others = [
        {"guided": True},
        {"precision": "bf16"},
        {"template": {"x": 1}},
        {"temperature": 0.5},
        {"model": "bundled:smollm2-135m"},
    ]
    assert len({make(chatty).identity, *(make(chatty, **other).identity for other in others)}) == 6


@pytest.mark.models
def test_the_bundled_model_guided(tmp_path: Path) -> None:
    tasks = [Task(task.query, task.text, task.candidates[:3]) for task in make_tasks(3, 3, 6)]
    settings = {"guided": True, "max_tokens": None, "ask": {"strategy": "listwise", "max_passage_words": 10}}
    found, ledger = label("bundled:smollm2-135m", tasks, tmp_path / "ledger", **settings)  # type: ignore[arg-type]
    assert [ranking.verdict for ranking in found] == ["ok"] * 3
    assert 0 < ledger.paid.output_tokens < 3 * 30
