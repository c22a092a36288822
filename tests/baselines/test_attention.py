"""Attention as a target, against the attention that transformers' own models return."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax

from harness.errors import UserError
from harness.labelling.labels.teacher import Candidate, Cost, Task
from harness.ledger.calls import Call
from harness.ledger.ledger import Ledger
from harness.llm.local_weights import load_tokenizer
from harness.losses.spec import LossSpec
from harness.models import folder_hash
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.workspace import Workspace
from harness.progress import silent
from harness.teachers.attention.attention_answering import attending
from harness.teachers.attention.fid import FiD
from harness.teachers.likelihood.answer_likelihood import ANSWER, AnswerPromptSettings, AnswerTask
from harness.teachers.make import teacher_from
from harness.training_lists.training_list import TrainingList, read_lists
from tests.baselines.small import DEPTH, Swept
from tests.baselines.test_likelihoods import Reader, answer, gradients, lists_of
from tests.teachers.tiny import WORDS, make_tasks

pytestmark = pytest.mark.models
LIMIT = 12


class Attention:
    """Attention of a causal language model in float64, as transformers returns it."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM

        self.model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float64, attn_implementation="eager"
        ).eval()
        self.reader = Reader(folder)

    def __call__(self, passages: list[str], question: str, wanted: str) -> tuple[np.ndarray, np.ndarray, list[range]]:
        """Probabilities (layers, heads, answer tokens, tokens), lengths of values (layers, heads, tokens), places of
        the passages."""
        spans, start = [], len(self.reader.ids("Passage:", special=True))
        for passage in passages:
            size = len(self.reader.ids(f" {passage}", LIMIT))
            spans.append(range(start, start + size))
            start += size + len(self.reader.ids("\nPassage:"))
        context = self.reader.context(passages, question, LIMIT)
        target = self.reader.ids(f" {wanted}", 32)
        values: list[torch.Tensor] = []
        hooks = [
            layer.self_attn.v_proj.register_forward_hook(lambda m, i, out: values.append(out[0]))
            for layer in self.model.model.layers
        ]
        with torch.inference_mode():
            found = self.model(torch.tensor([[*context, *target[:-1]]]), output_attentions=True).attentions
        for hook in hooks:
            hook.remove()
        heads, shared = self.model.config.num_attention_heads, self.model.config.num_key_value_heads
        lengths = [
            value.view(len(value), shared, -1).norm(dim=-1).T.repeat_interleave(heads // shared, 0) for value in values
        ]
        return torch.stack(found)[:, 0, :, len(context) - 1 :].numpy(), torch.stack(lengths).numpy(), spans


@pytest.fixture(scope="module")
def attention(lm: Path) -> Attention:
    return Attention(lm)


def shown(swept: Swept, label: str) -> dict[str, list[str]]:
    """Candidates by query, in the order in which the reader saw them."""
    from harness.retrieval.run import Run

    run = Run.read(swept.store.read(swept.cell(label).inputs.candidates))
    return {query: run.top(query, DEPTH) for query in run.scores}


def by_document(one: TrainingList, order: list[str], values: list[float]) -> list[float]:
    """`values` of the documents in `order`, in the list's own."""
    return [values[order.index(document)] for document in one.documents]


def test_adist_target(all_methods: Swept, attention: Attention) -> None:
    order, corpus = shown(all_methods, "adist"), all_methods.cells[0].inputs.collection.corpus
    for one in lists_of(all_methods, "adist"):
        alpha, lengths, spans = attention(corpus.texts(order[one.query]), one.text, answer(all_methods, one))
        per_token = (alpha * lengths[:, :, None]).mean((0, 1, 2))
        expected = by_document(
            one, order[one.query], [float(per_token[span.start : span.stop].sum()) for span in spans]
        )
        assert one.scores == pytest.approx(expected, abs=1e-4)
        loss = LossSpec.of(all_methods.cell("adist").cell.settings.retriever_loss)  # type: ignore[attr-defined]
        weights = [math.exp(value / 2.56) for value in expected]
        target = softmax(np.array(one.scores) / loss.settings.teacher_temperature)  # type: ignore[attr-defined]
        assert target == pytest.approx([weight / sum(weights) for weight in weights], abs=1e-4)


def test_fid_kd_s_aggregation_on_a_decoder(all_methods: Swept, attention: Attention) -> None:
    order, corpus = shown(all_methods, "adist scores"), all_methods.cells[0].inputs.collection.corpus
    for one in lists_of(all_methods, "adist scores"):
        alpha, _, spans = attention(corpus.texts(order[one.query]), one.text, answer(all_methods, one))
        # The logarithm of a probability is the score less what is the same for all tokens.
        per_token = np.log(alpha[:, :, 0, : spans[-1].stop]).mean((0, 1))
        means = by_document(one, order[one.query], [float(per_token[span.start : span.stop].mean()) for span in spans])
        assert softmax(np.array(one.scores)) == pytest.approx(softmax(means), abs=1e-4)


def test_attention_is_asked_once_and_its_price_is_known(lm: Path, ledger: Ledger) -> None:
    base = teacher_from({"kind": "likelihood", "model": str(lm), "precision": "fp32"})
    reader = attending(base, Path(), AnswerPromptSettings(depth=5, passage_tokens=20), "norms")
    tasks: list[Task] = [
        AnswerTask(**vars(task), answer="music" if number else "") for number, task in enumerate(make_tasks(6, 5, 12))
    ]
    expected = reader.estimate(tasks, ledger)
    first = list(reader.label(tasks, ledger, silent))
    assert (
        (ledger.paid.calls, ledger.paid.input_tokens)
        == (expected.calls, expected.input_tokens)
        == (5, expected.input_tokens)
    )
    assert list(reader.label(tasks, ledger, silent)) == first and ledger.paid.calls == 5
    assert reader.estimate(tasks, ledger) == Cost()
    assert (first[0].verdict, first[0].reason) == ("failed", "no short answer")
    others = [
        attending(base, Path(), AnswerPromptSettings(depth=5, passage_tokens=20), "scores"),
        attending(base, Path(), AnswerPromptSettings(ANSWER), "norms"),
    ]
    assert len({reader.identity, base.identity, *(other.identity for other in others)}) == 4


def test_only_a_reader_in_this_process_shows_its_attention() -> None:
    with pytest.raises(UserError, match="shows no attention"):
        attending(teacher_from({"kind": "shuffled"}), Path(), AnswerPromptSettings(), "norms")


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A T5 with random weights and a byte-level tokenizer that ends every text with </s>."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("t5")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<pad>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 5, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>").save_pretrained(folder)
    torch.manual_seed(3)
    sizes: dict[str, Any] = {
        "vocab_size": tokenizer.get_vocab_size(),
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 64,
        "num_heads": 4,
    }
    model = T5ForConditionalGeneration(T5Config(**sizes, num_layers=3, decoder_start_token_id=0, pad_token_id=0))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "EncDecAttention" in name:
                weight.mul_(3)
    model.save_pretrained(folder)
    return folder


def cross_attention(folder: Path, task: Task, limit: int) -> list[float]:
    """Mean log cross-attention of the first decoded token to each passage: passages encoded one by one, without
    padding."""
    from transformers import T5ForConditionalGeneration
    from transformers.modeling_outputs import BaseModelOutput

    model = T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    tokenizer = load_tokenizer(folder)
    parts, sizes = [], []
    with torch.inference_mode():
        for candidate in task.candidates:
            ids = tokenizer.encode(f"question: {task.text} context: {candidate.text}").ids
            ids = ids if len(ids) <= limit else [*ids[: limit - 1], 1]
            parts.append(model.encoder(torch.tensor([ids])).last_hidden_state)
            sizes.append(len(ids))
        states = BaseModelOutput(last_hidden_state=torch.cat(parts, 1))
        out = model(encoder_outputs=states, decoder_input_ids=torch.tensor([[0]]), output_attentions=True)
    per_token = torch.stack(out.cross_attentions)[:, 0, :, 0].log().mean((0, 1))
    return [part.mean().item() for part in per_token.split(sizes)]


def test_fid_scores_are_those_of_t5_s_own_cross_attention(t5: Path, ledger: Ledger) -> None:
    tasks = make_tasks(5, 4, 10)
    teacher = teacher_from({"kind": "fid", "model": str(t5), "max_tokens": 40})
    for task, ranking in zip(tasks, teacher.label(tasks, ledger, silent), strict=True):
        assert ranking.scores is not None
        found = dict(zip(ranking.ranked, ranking.scores, strict=True))
        expected = cross_attention(t5, task, 40)
        assert np.ptp(expected) > 0.01
        assert softmax([found[candidate.id] for candidate in task.candidates]) == pytest.approx(
            softmax(expected), abs=1e-4
        )


def test_fid_pays_once_and_knows_its_price(t5: Path, ledger: Ledger) -> None:
    tasks, teacher = make_tasks(4, 3, 9), teacher_from({"kind": "fid", "model": str(t5)})
    expected = teacher.estimate(tasks, ledger)
    first = list(teacher.label(tasks, ledger, silent))
    assert (
        (ledger.paid.calls, ledger.paid.input_tokens)
        == (expected.calls, expected.input_tokens)
        == (4, expected.input_tokens)
    )
    assert list(teacher.label(tasks, ledger, silent)) == first and teacher.estimate(tasks, ledger) == Cost()
    (call, *_) = ledger.calls()
    assert isinstance(call, Call) and call.request.startswith('["question: ')


def test_fid_kd_s_target_is_the_paper_s_and_trains_the_retriever_only(
    all_methods: Swept, t5: Path, tmp_path: Path
) -> None:
    before = folder_hash(t5)
    file, workspace = all_methods.home / "sweep.yaml", all_methods.home / "workspace"
    # The sweep's other teacher shows no cross-attention and is not offered.
    overrides = [f"teachers.fid={{kind: fid, model: {t5}, max_tokens: 40}}", "methods=[{method: fid-kd, epochs: 1}]"]
    outcome = Workspace(workspace).plan(file, overrides).run(tmp_path / "results", observer=NullObserver())
    assert outcome.summary["cells"] == {"total": 1, "done": 1, "failed": 0, "cached": 0}
    assert outcome.summary["llm"]["calls"] == 8 and folder_hash(t5) == before
    made = Swept(all_methods.home, outcome, Workspace(workspace).plan(file, overrides).cells, all_methods.store)
    corpus, spec = made.cells[0].inputs.collection.corpus, LossSpec.of(made.cells[0].cell.settings.retriever_loss)  # type: ignore[attr-defined]
    for number, one in enumerate(lists_of(made, "fid-kd")):
        order = shown(made, "fid-kd")[one.query]
        task = Task(
            one.query, one.text, tuple(Candidate(id, text) for id, text in zip(order, corpus.texts(order), strict=True))
        )
        expected = by_document(one, order, cross_attention(t5, task, 40))
        assert softmax(np.array(one.scores)) == pytest.approx(softmax(expected), abs=1e-4)
        gradient, closed = gradients(spec, one, number)
        assert gradient == pytest.approx(closed, abs=1e-4)


def test_fid_kd_refuses_a_reader_without_cross_attention(all_methods: Swept, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of the defined teachers gives cross-attention"):
        Workspace(tmp_path / "w").plan(all_methods.home / "sweep.yaml", ["methods=[fid-kd]"]).run(
            tmp_path / "r", observer=NullObserver()
        )


def test_what_is_no_t5_is_refused(lm: Path, ledger: Ledger) -> None:
    teacher = FiD(FiD.Settings(model=str(lm)))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="encoder-decoder"):
        list(teacher.label([Task("q", "music", (Candidate("a", "graph"), Candidate("b", "neural")))], ledger, silent))


def test_lists_of_attention_are_scored_and_complete(all_methods: Swept) -> None:
    for one in read_lists(all_methods.made("adist", "ranked-lists")):
        assert one.scores is not None and one.ordered == len(one.documents) == len(one.scores)
