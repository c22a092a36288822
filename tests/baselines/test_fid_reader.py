"""A Fusion-in-Decoder reader that a method trains: its loss, its training, and what its attention teaches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from baselines._shared.fid_reader import Question, ReaderSettings, ReaderTokens, new_reader, reader_loss, train_reader
from baselines._shared.fid_stages import TrainReader
from harness.device import deterministic
from harness.errors import UserError
from harness.labelling.labels.teacher import Candidate, Task
from harness.llm.local_weights import load_tokenizer
from harness.models import resolve_model
from harness.pipeline.graph import closure
from harness.pipeline.workspace import Workspace
from harness.progress import silent
from harness.teachers.attention.fid import FiD, cross_attention, load_reader, reader_text
from harness.training.checkpoint import Checkpoint
from harness.training_lists.training_list import read_lists
from tests.baselines.small import Swept, sweep_file, write_collection

pytestmark = pytest.mark.models

SMALL = ReaderSettings(layers=1, width=32, epochs=6, batch=2, max_tokens=24, learning_rate=3e-3)
PASSAGES = ("Ada works on graphs", "Alan works on music and machines", "Grace works on compilers")


@pytest.fixture(scope="module")
def tokens() -> ReaderTokens:
    return ReaderTokens(load_tokenizer(resolve_model("bundled:bert-tiny", Path()).path), SMALL.max_tokens, 8)


@pytest.fixture(scope="module")
def questions(tokens: ReaderTokens) -> list[Question]:
    def question(topic: str, answer: str) -> Question:
        return Question(tokens.passages(f"Who works on {topic}?", PASSAGES), tokens.answer(answer))

    return [question("graphs", "Ada"), question("music", "Alan"), question("compilers", "Grace")]


def reader(tokens: ReaderTokens) -> Any:
    with deterministic(1):
        return new_reader(SMALL, tokens, None)


def trained(tokens: ReaderTokens, questions: list[Question], checkpoint: Checkpoint, seed: int = 1) -> Any:
    with deterministic(seed):
        model = new_reader(SMALL, tokens, None)
        history = train_reader(model, questions, SMALL, SMALL.peak(False), seed, checkpoint, silent)
    return model, history


def weights(model: Any) -> torch.Tensor:
    return torch.cat([one.detach().flatten() for one in model.parameters()])


def test_with_one_passage_the_loss_is_that_of_the_t5(tokens: ReaderTokens, questions: list[Question]) -> None:
    model, (ids, *_), answer = reader(tokens).eval(), questions[0].passages, questions[0].answer
    own = model(input_ids=torch.tensor([ids]), labels=torch.tensor([answer])).loss
    assert reader_loss(model, Question([ids], answer)).item() == pytest.approx(own.item(), rel=1e-5)


def test_the_loss_is_over_passages_that_are_encoded_one_by_one(tokens: ReaderTokens, questions: list[Question]) -> None:
    from transformers.modeling_outputs import BaseModelOutput

    model, asked = reader(tokens).eval(), questions[1]
    states = torch.cat([model.encoder(torch.tensor([ids])).last_hidden_state for ids in asked.passages], 1)
    logits = model(encoder_outputs=BaseModelOutput(states), labels=torch.tensor([asked.answer])).logits
    expected = torch.nn.functional.cross_entropy(logits[0], torch.tensor(asked.answer))
    assert reader_loss(model, asked).item() == pytest.approx(expected.item(), rel=1e-4)


def test_an_answer_ends_with_the_token_that_ends_texts_also_where_it_is_cut(tokens: ReaderTokens) -> None:
    assert tokens.answer("Ada")[-1] == tokens.end
    assert len(tokens.answer("Ada " * 50)) == tokens.answer_limit and tokens.answer("Ada " * 50)[-1] == tokens.end


def test_training_lowers_the_loss_and_the_same_seed_gives_the_same_bits(
    tokens: ReaderTokens, questions: list[Question], tmp_path: Path
) -> None:
    model, history = trained(tokens, questions, Checkpoint(tmp_path / "one"))
    assert len(history.loss) == 12 and history.loss[-1] < history.loss[0]
    before = cross_attention(reader(tokens).eval(), questions[0].passages)
    assert cross_attention(model, questions[0].passages) != pytest.approx(before, abs=1e-3)
    again, _ = trained(tokens, questions, Checkpoint(tmp_path / "two"))
    other, _ = trained(tokens, questions, Checkpoint(tmp_path / "three"), seed=2)
    assert torch.equal(weights(model), weights(again)) and not torch.equal(weights(model), weights(other))


def test_a_training_that_was_killed_goes_on_and_ends_with_the_same_bits(
    tokens: ReaderTokens, questions: list[Question], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = trained(tokens, questions, Checkpoint(tmp_path / "whole"))
    monkeypatch.setattr(Checkpoint, "is_due", property(lambda self: True))

    def dies(done: int, total: int, unit: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    file = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt), deterministic(1):
        train_reader(new_reader(SMALL, tokens, None), questions, SMALL, SMALL.peak(False), 1, Checkpoint(file), dies)
    resumed, history = trained(tokens, questions, Checkpoint(file))
    assert len(history.loss) == 12 and torch.equal(weights(resumed), weights(whole))


def test_a_passage_that_is_cut_ends_as_the_teacher_fid_reads_it(tokens: ReaderTokens) -> None:
    question, passages = "Who works on music?", ("short", "music " * 60)
    as_teacher = load_tokenizer(resolve_model("bundled:bert-tiny", Path()).path)
    as_teacher.enable_truncation(SMALL.max_tokens)
    expected = [as_teacher.encode(reader_text(question, each)).ids for each in passages]
    assert tokens.passages(question, passages) == expected
    assert len(expected[1]) == SMALL.max_tokens and expected[1][-1] == tokens.end


def test_the_limit_of_passages_is_none_of_answers() -> None:
    folder = resolve_model("bundled:bert-tiny", Path()).path
    narrow = ReaderTokens(load_tokenizer(folder), 8, 32)
    narrow.passages("Who?", ("music " * 60,))
    assert len(narrow.answer("music " * 20)) == 21


def test_a_tokenizer_without_padding_is_refused(tokens: ReaderTokens) -> None:
    from tokenizers import Tokenizer, models

    with pytest.raises(UserError, match="no token <pad>") as refused:
        _ = ReaderTokens(Tokenizer(models.BPE()), 8, 8).padding
    assert "reader: {start: FOLDER}" in str(refused.value.remedy)


def test_the_lists_are_the_cross_attention_of_the_trained_reader(all_methods: Swept) -> None:
    folder = all_methods.made("fid-kd-reader", "reader")
    losses = json.loads((folder / "losses.json").read_text())["loss"]
    assert losses[-1] < losses[0]
    corpus = all_methods.cells[0].inputs.collection.corpus
    stage = all_methods.stage("fid-kd-reader", "reader")
    assert isinstance(stage, TrainReader) and stage.start is None
    how = ReaderTokens(load_tokenizer(folder), stage.how.max_tokens, stage.how.max_answer_tokens)
    model = load_reader(folder).eval()
    for one in read_lists(all_methods.made("fid-kd-reader", "reader-lists")):
        shown = sorted(one.documents)
        attention = cross_attention(model, how.passages(one.text, corpus.texts(shown)))
        scores = dict(zip(shown, attention, strict=True))
        assert one.scores == pytest.approx([scores[document] for document in one.documents], abs=1e-5)
        assert list(one.scores or ()) == sorted(one.scores or (), reverse=True)


def test_the_reader_gets_no_answer_of_an_evaluated_query(all_methods: Swept) -> None:
    inputs, stage = all_methods.cells[0].inputs, all_methods.stage("fid-kd-reader", "reader")
    assert isinstance(stage, TrainReader) and stage.answers.first
    evaluated = set(inputs.collection.queries(inputs.split).ids)
    assert evaluated and not evaluated & set(stage.answers.first)


def test_scoring_the_lists_reserves_the_memory_of_the_reader(all_methods: Swept) -> None:
    lists, training = (all_methods.stage("fid-kd-reader", kind) for kind in ("reader-lists", "reader"))
    assert lists.resources.memory == training.resources.memory and lists.resources.gpu > 0


def test_its_card_says_that_it_saw_answers_and_its_training_counts(all_methods: Swept) -> None:
    from harness.published.result_folder import read_card

    (card,) = (card for card in map(read_card, all_methods.outcome.published) if card.method.name == "fid-kd-reader")
    assert card.method.sees == ("answers",) and card.teacher is None
    stages = [all_methods.stage("fid-kd-reader", kind) for kind in ("reader", "retriever")]
    seconds = [all_methods.store.manifest(stage)["seconds"] for stage in stages]
    assert card.costs.train_seconds == pytest.approx(sum(seconds), rel=0.05)


def test_the_reader_that_was_trained_is_one_that_the_teacher_fid_takes(all_methods: Swept) -> None:
    teacher = FiD(FiD.Settings(model=str(all_methods.made("fid-kd-reader", "reader"))))  # type: ignore[arg-type]
    task = Task("q", "Who works on music?", (Candidate("a", "graph"), Candidate("b", "music")))
    (ranking,) = teacher.label([task], all_methods.ledger, silent)
    assert sorted(ranking.ranked) == ["a", "b"] and ranking.scores is not None


def test_a_collection_without_answers_is_refused_before_anything_runs(lm: Path, tmp_path: Path) -> None:
    write_collection(tmp_path / "data", answers=False)
    file = sweep_file(tmp_path, lm, ["bm25", "fid-kd-reader"])
    with pytest.raises(UserError, match="no short answers"):
        Workspace(tmp_path / "workspace").plan(file)


def test_a_pretrained_reader_learns_ten_times_slower_unless_said(all_methods: Swept, lm: Path, tmp_path: Path) -> None:
    start = str(all_methods.made("fid-kd-reader", "reader"))
    write_collection(tmp_path / "data")
    readers = [{}, {"start": start}, {"start": start, "learning_rate": 0.01}]
    methods = [{"method": "fid-kd-reader", "label": str(n), "reader": one} for n, one in enumerate(readers)]
    cells = Workspace(tmp_path / "workspace").plan(sweep_file(tmp_path, lm, methods)).cells
    stages = [next(one for one in closure([cell.run]).values() if isinstance(one, TrainReader)) for cell in cells]
    assert [stage.how.peak(stage.start is not None) for stage in stages] == [1e-3, 1e-4, 0.01]


def test_machines_of_either_precision_share_the_reader(lm: Path, tmp_path: Path) -> None:
    write_collection(tmp_path / "data")
    file, keys = sweep_file(tmp_path, lm, ["fid-kd-reader"]), []
    for numerics in ("cpu-fp32", "cpu-bf16"):
        (cell,) = Workspace(tmp_path / "workspace").plan(file, [f"numerics={numerics}"]).cells
        stages = {stage.kind: stage for stage in closure([cell.run]).values()}
        keys.append((stages["reader"].key, stages["reader-lists"].key))
        assert str(stages["reader"].computed_in).count("bf16") == 0
    assert keys[0] == keys[1]
