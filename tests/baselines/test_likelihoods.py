"""White-box targets against their papers' equations, computed pair by pair with the model as transformers has it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax

from baselines.white_box.art import ART
from baselines.white_box.replug_lsr import ReplugLSR
from harness.errors import UserError
from harness.labelling.labels.label_files import read_rankings
from harness.llm.local_weights import load_causal, load_tokenizer
from harness.losses.loss import Target
from harness.losses.spec import LossSpec
from harness.pipeline.artefact_records import read_with_measured
from harness.teachers.attention import attention_answering
from harness.teachers.likelihood import _packing_trial
from harness.training_lists.training_list import TrainingList, read_lists
from tests.baselines.small import LIMIT, Swept, sweep_file, swept, write_collection

pytestmark = pytest.mark.models


class Reader:
    """Log-probabilities of a continuation's tokens after a context, in float64."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM

        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
        self.tokenizer = load_tokenizer(folder)

    def ids(self, text: str, limit: int | None = None, special: bool = False) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=special).ids[:limit]

    def log_probabilities(self, context: Sequence[int], text: str) -> list[float]:
        target = self.ids(f" {text}", 32)
        with torch.inference_mode():
            table = self.model(torch.tensor([[*context, *target]])).logits[0].log_softmax(-1)
        return [table[len(context) - 1 + place, token].item() for place, token in enumerate(target)]

    def context(self, passages: Sequence[str], question: str, limit: int) -> list[int]:
        """Passages, each cut, and the question, as the prompt for answers has them."""
        tokens = self.ids("Passage:", special=True)
        for number, passage in enumerate(passages):
            tokens += [*(self.ids("\nPassage:") if number else []), *self.ids(f" {passage}", limit)]
        return [*tokens, *self.ids("\nQuestion:"), *self.ids(f" {question}", 32), *self.ids("\nAnswer:")]


@pytest.fixture(scope="module")
def reader(lm: Path) -> Reader:
    return Reader(lm)


@pytest.fixture(scope="module")
def texts(all_methods: Swept) -> dict[str, str]:
    corpus = all_methods.cells[0].inputs.collection.corpus
    return dict(zip(corpus.ids, corpus.texts(list(corpus.ids)), strict=True))


def lists_of(swept: Swept, label: str) -> list[TrainingList]:
    """The training lists of a method's cell; never none."""
    lists = read_lists(swept.made(label, "ranked-lists"))
    assert len(lists) >= 5
    return lists


def answer(swept: Swept, one: TrainingList) -> str:
    return swept.cells[0].inputs.collection.answers("train")[one.query][0]


def each(reader: Reader, one: TrainingList, texts: dict[str, str], wanted: str) -> list[list[float]]:
    """Log-probabilities of the answer's tokens after each passage."""
    return [reader.log_probabilities(reader.context([texts[id]], one.text, LIMIT), wanted) for id in one.documents]


def target_shares(swept: Swept, label: str, one: TrainingList) -> np.ndarray:
    """What the method's loss makes of a list's scores."""
    settings = LossSpec.of(swept.cell(label).cell.settings.retriever_loss).settings  # type: ignore[attr-defined]
    return np.asarray(softmax(np.array(one.scores) / settings.teacher_temperature))  # type: ignore[attr-defined]


def test_replug_target(all_methods: Swept, reader: Reader, texts: dict[str, str]) -> None:
    for one in lists_of(all_methods, "replug-lsr"):
        sums = [math.fsum(found) for found in each(reader, one, texts, answer(all_methods, one))]
        assert one.scores == pytest.approx(sums, abs=1e-4)
        weights = [math.exp(value / 0.1 - max(sums) / 0.1) for value in sums]
        assert target_shares(all_methods, "replug-lsr", one) == pytest.approx(
            [weight / sum(weights) for weight in weights], abs=1e-4
        )


def test_pdist_target(all_methods: Swept, reader: Reader, texts: dict[str, str]) -> None:
    for one in lists_of(all_methods, "pdist"):
        means = [float(np.mean(found)) for found in each(reader, one, texts, answer(all_methods, one))]
        assert one.scores == pytest.approx(means, abs=1e-4)
        weights = [math.exp((value - max(means)) / 0.01) for value in means]
        assert target_shares(all_methods, "pdist", one) == pytest.approx(
            [weight / sum(weights) for weight in weights], abs=1e-4
        )


def test_loop_target(all_methods: Swept, reader: Reader, texts: dict[str, str]) -> None:
    shown = {
        ranking.query: ranking
        for ranking in read_rankings(all_methods.made("loop", "answer-labels") / "rankings.jsonl.gz")
    }
    candidates = all_methods.stage("loop", "answer-labels").tasks(  # type: ignore[attr-defined]
        all_methods.store.read(all_methods.cell("loop").inputs.pool),
        all_methods.store.read(all_methods.cell("loop").inputs.candidates),
    )
    order = {task.query: [candidate.id for candidate in task.candidates] for task in candidates}
    for one in lists_of(all_methods, "loop"):
        lost = []
        for left_out in one.documents:
            others = [texts[id] for id in order[one.query] if id != left_out]
            found = reader.log_probabilities(reader.context(others, one.text, 12), answer(all_methods, one))
            lost.append(-float(np.mean(found)))
        assert one.scores == pytest.approx(lost, abs=1e-4)
        weights = [math.exp((value - max(lost)) / 0.01) for value in lost]
        assert target_shares(all_methods, "loop", one) == pytest.approx(
            [weight / sum(weights) for weight in weights], abs=1e-4
        )
    assert any(ranking.ranked != tuple(order[query]) for query, ranking in shown.items() if ranking.ranked)


def test_emdr2_loss_and_its_gradient(all_methods: Swept, reader: Reader, texts: dict[str, str]) -> None:
    for number, one in enumerate(lists_of(all_methods, "emdr2")):
        likelihoods = [math.exp(math.fsum(found)) for found in each(reader, one, texts, answer(all_methods, one))]
        scores = torch.randn(
            1, len(one.documents), generator=torch.Generator().manual_seed(number), dtype=torch.float64
        ).requires_grad_()
        target = torch.tensor([one.scores], dtype=torch.float64, requires_grad=True)
        mask = torch.ones_like(scores, dtype=torch.bool)
        loss = LossSpec.of("emdr2").loss(0.5)(scores, Target(mask, mask.sum(1), target))
        loss.backward()  # type: ignore[no-untyped-call]
        shares = softmax(scores.detach().numpy()[0] / 0.5)
        assert loss.item() == pytest.approx(
            -math.log(math.fsum(p * q for p, q in zip(likelihoods, shares, strict=True))), abs=1e-4
        )
        posterior = shares * likelihoods / np.dot(shares, likelihoods)
        assert scores.grad is not None
        assert scores.grad[0].tolist() == pytest.approx(((shares - posterior) / 0.5).tolist(), abs=1e-4)
        assert target.grad is None


def query_likelihoods(reader: Reader, one: TrainingList, texts: dict[str, str], after: str) -> list[list[float]]:
    before, behind = reader.ids("Passage:", special=True), reader.ids(after)
    return [
        reader.log_probabilities([*before, *reader.ids(f" {texts[id]}", LIMIT), *behind], one.text)
        for id in one.documents
    ]


@pytest.mark.parametrize(
    ("label", "after", "reduce"),
    [
        ("art", " Please write a question based on this passage.", np.mean),
        ("art sum", " The topic of this passage is", np.sum),
    ],
)
def test_art_target(
    all_methods: Swept,
    reader: Reader,
    texts: dict[str, str],
    label: str,
    after: str,
    reduce: Callable[[list[float]], float],
) -> None:
    for one in lists_of(all_methods, label):
        expected = [float(reduce(found)) for found in query_likelihoods(reader, one, texts, after)]
        assert one.scores == pytest.approx(expected, abs=1e-4)
        assert target_shares(all_methods, label, one) == pytest.approx(
            np.exp(expected - logsumexp(expected)).tolist(), abs=1e-4
        )


@pytest.mark.parametrize("reduction", ["batchmean", "elementwise"])
@pytest.mark.parametrize("label", ["replug-lsr", "pdist", "loop", "adist", "art"])
def test_the_loss_is_torch_s_kl_divergence_and_reaches_the_student(
    all_methods: Swept, label: str, reduction: str
) -> None:
    lists = [one for one in lists_of(all_methods, label) if len(one.documents) == 4][:3]
    spec = LossSpec.of(all_methods.cell(label).cell.settings.retriever_loss)  # type: ignore[attr-defined]
    loss = type(spec)(spec.name, spec.settings.model_copy(update={"reduction": reduction})).loss(0.05)
    scores = torch.randn(3, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    wanted = torch.tensor([one.scores for one in lists])
    found = loss(scores, Target(torch.ones(3, 4, dtype=torch.bool), torch.full((3,), 4), wanted))
    shares = torch.softmax(wanted / spec.settings.teacher_temperature, 1)  # type: ignore[attr-defined]
    # What torch calls mean is over all elements.
    reference = torch.nn.functional.kl_div(torch.log_softmax(scores / loss.temperature, 1), shares, reduction="sum")
    torch.testing.assert_close(found, reference / (12 if reduction == "elementwise" else 3), rtol=1e-4, atol=1e-5)
    found.backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad.abs().sum() > 0


@pytest.mark.parametrize("label", ["replug-lsr", "pdist", "loop", "adist", "adist scores", "art", "art sum"])
def test_the_gradient_is_the_closed_form(all_methods: Swept, label: str) -> None:
    spec = LossSpec.of(all_methods.cell(label).cell.settings.retriever_loss)  # type: ignore[attr-defined]
    for number, one in enumerate(lists_of(all_methods, label)[:3]):
        gradient, closed = gradients(spec, one, number)
        assert gradient == pytest.approx(closed, abs=1e-4)


def gradients(spec: LossSpec, one: TrainingList, seed: int) -> tuple[list[float], list[float]]:
    """Of KL(p || softmax(s / T)) for random scores s: by torch, and as (softmax(s / T) - p) / T."""
    size, loss = len(one.documents), spec.loss(0.05)
    scores = torch.randn(1, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()
    told = torch.tensor([one.scores], dtype=torch.float64)
    loss(scores, Target(torch.ones(1, size, dtype=torch.bool), torch.tensor([size]), told)).backward()  # type: ignore[no-untyped-call]
    student = softmax(scores.detach().numpy()[0] / loss.temperature)
    target = softmax(np.array(one.scores) / spec.settings.teacher_temperature)  # type: ignore[attr-defined]
    assert scores.grad is not None
    return scores.grad[0].tolist(), ((student - target) / loss.temperature).tolist()


def test_the_reader_stays_as_it_is(lm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file

    readers: list[torch.nn.Module] = []

    def loaded(folder: Path, precision: str, attention: str) -> torch.nn.Module:
        readers.append(load_causal(folder, precision, attention))
        return readers[-1]

    monkeypatch.setattr(attention_answering, "load_causal", loaded)
    monkeypatch.setattr(_packing_trial, "load_causal", loaded)
    write_collection(tmp_path / "data")
    methods = [{"method": name, "epochs": 1} for name in ("pdist", "adist")]
    done = swept(tmp_path, lm, methods)
    saved = load_file(weights(lm))
    assert len(readers) == 2
    for reader in readers:
        parameters = dict(reader.named_parameters())
        assert parameters.keys() == saved.keys()
        for name, parameter in parameters.items():
            assert not parameter.requires_grad and parameter.grad is None
            assert torch.equal(parameter, saved[name])
    assert learnt(done, ("pdist", "adist"))


def test_the_retriever_learns(all_methods: Swept) -> None:
    assert learnt(all_methods, ("replug-lsr", "pdist", "emdr2", "loop", "adist", "art"))


def learnt(swept: Swept, labels: Sequence[str]) -> bool:
    """Whether training moved the student of every label."""
    from safetensors.torch import load_file

    start = load_file(weights(swept.made("pdist", "static-student")))
    ends = [load_file(weights(swept.made(label, "retriever"))) for label in labels]
    return all(any((end[name] != start[name]).any() for name in start) for end in ends)


def weights(folder: Path) -> Path:
    (file,) = folder.rglob("*.safetensors")
    return file


def test_methods_that_ask_alike_pay_once(all_methods: Swept) -> None:
    costs = {
        label: read_with_measured(all_methods.made(label, "answer-labels"), "summary.json")
        for label in ("replug-lsr", "pdist")
    }
    assert costs["replug-lsr"]["alone"]["calls"] == costs["pdist"]["alone"]["calls"] > 0
    assert sorted(cost["here"]["calls"] for cost in costs.values())[0] == 0
    assert all_methods.stage("replug-lsr", "ranked-lists").key == all_methods.stage("emdr2", "ranked-lists").key


def test_questions_without_an_answer_fail_and_cost_nothing(all_methods: Swept) -> None:
    rankings = read_rankings(all_methods.made("pdist", "answer-labels") / "rankings.jsonl.gz")
    told = {ranking.query: ranking.reason for ranking in rankings}
    assert all((reason == "no short answer") == query.startswith("train0-") for query, reason in told.items())


def test_a_collection_without_answers_is_refused_before_anything_runs(lm: Path, tmp_path: Path) -> None:
    write_collection(tmp_path / "data", answers=False)
    with pytest.raises(UserError, match="no short answers"):
        swept(tmp_path, lm, ["replug-lsr"])


def test_a_black_box_is_refused_where_likelihoods_are_needed(lm: Path, tmp_path: Path) -> None:
    from harness.config.load import load_sweep
    from harness.errors import UserErrors

    file = sweep_file(tmp_path, lm, ["art"])
    with pytest.raises((UserError, UserErrors), match="likelihoods"):
        load_sweep(file, ["teachers={placebo: {kind: shuffled}}"])


def test_what_they_may_see() -> None:
    assert ReplugLSR.needs == ReplugLSR.sees == ("likelihoods", "answers")
    assert ART.needs == ART.sees == ("likelihoods",)
