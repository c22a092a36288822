"""Rerankers as people have them score as in the library that they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import ByteLevel, Metaspace, Whitespace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import (
    AutoTokenizer,
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from harness.errors import UserError
from harness.models import ModelFiles
from harness.progress import silent
from harness.students.cross_encoder import PairReader
from harness.students.ranker import load_ranker, save_ranker
from harness.students.student import Student
from harness.training_lists.list_dataset import ListDataset
from tests.students.conftest import BODIES, TOPICS, TinyCorpus, topic_lists, topic_trainer
from tests.students.test_ranker import save_reranker

pytestmark = pytest.mark.models

WORDS = sorted({word for text in (*TOPICS, *BODIES) for word in text.split()})
SMALL: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'query' %}is {{ m.content }} in {% elif m.role == 'document' %}"
    "{{ m.content }} {% else %}{{ m.content }} {% endif %}{% endfor %}then"
)


def words_tokenizer(*extra: str, mark: str = "", end: bool = False, **special: str) -> Any:
    """A word-level tokenizer; `mark` stands before words, `end` puts </s> after a pair."""
    names = ["<unk>", "</s>", "<pad>", *extra, *(mark + word for word in [*WORDS, "Query:", "Document:", "Relevant:"])]
    inner = Tokenizer(WordLevel({name: number for number, name in enumerate(dict.fromkeys(names))}, "<unk>"))
    inner.pre_tokenizer = Metaspace() if mark else Whitespace()
    if end:
        inner.post_processor = TemplateProcessing("$A </s>", "$A $B </s>", [("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", eos_token="</s>", **special)


def save(model: Any, tokenizer: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def found(ranker: Student, corpus: TinyCorpus, length: int = 64) -> np.ndarray:
    """Scores of the first list."""
    return ranker.bind(ListDataset.of(topic_lists(), corpus), length).score_all(silent)[0]


def pairs(corpus: TinyCorpus) -> list[tuple[str, str]]:
    one = topic_lists()[0]
    return [(one.text, text) for text in corpus.texts(one.documents)]


def test_two_outputs_score_by_their_difference(tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    folder = save_reranker(tiny, tmp_path / "two", labels=2)
    theirs = CrossEncoder(str(folder), device="cpu").predict(pairs(corpus), activation_fn=torch.nn.Identity())
    ranker = load_ranker(folder)
    np.testing.assert_allclose(found(ranker, corpus), theirs[:, 1] - theirs[:, 0], atol=1e-5)
    history = topic_trainer(ranker, epochs=6, learning_rate=1e-4).fit()
    assert history.loss[-1] < history.loss[0]
    save_ranker(ranker, tmp_path / "saved", "cross-encoder")
    again = load_ranker(tmp_path / "saved")
    np.testing.assert_allclose(found(again, corpus), found(ranker, corpus), atol=1e-5)
    assert CrossEncoder(str(tmp_path / "saved")).num_labels == 2


@pytest.mark.parametrize(
    ("names", "relevant"),
    [
        (("relevant", "not relevant"), 0),
        (("Not_Relevant", "RELEVANT"), 1),
        (("true", "false"), 0),
        (("Yes", "No"), 0),
        (("no", "yes"), 1),
        (("irrelevant", "on topic"), 1),
        (("on topic", "IRRELEVANT"), 0),
        (("LABEL_0", "LABEL_1"), 1),
        (("spam", "ham"), 1),
    ],
)
def test_labels_say_which_output_is_relevant(
    names: tuple[str, str], relevant: int, corpus: TinyCorpus, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    tokenizer = words_tokenizer(pad_token="<pad>")
    config = BertConfig(vocab_size=len(tokenizer), id2label=dict(enumerate(names)), **SMALL)
    model = BertForSequenceClassification(config).eval()
    folder = save(model, tokenizer, tmp_path / "labelled")
    with torch.inference_mode():
        logits = [model(**tokenizer(*pair, return_tensors="pt")).logits[0] for pair in pairs(corpus)]
    expected = [float(one[relevant] - one[1 - relevant]) for one in logits]
    ranker = load_ranker(folder)
    np.testing.assert_allclose(found(ranker, corpus), expected, atol=1e-5)
    save_ranker(ranker, tmp_path / "saved", "cross-encoder")
    np.testing.assert_allclose(found(load_ranker(tmp_path / "saved"), corpus), expected, atol=1e-5)


QWEN_BEFORE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
QWEN_AFTER = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


def save_qwen3(folder: Path, template: str | None) -> Path:
    """A Qwen3 of two layers whose tokenizer reads bytes, with the special tokens of that family."""
    torch.manual_seed(0)
    inner = Tokenizer(BPE())
    inner.pre_tokenizer = ByteLevel(add_prefix_space=False)
    alphabet = ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    inner.train_from_iterator(["yes no yes no"] * 4, BpeTrainer(special_tokens=special, initial_alphabet=alphabet))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<|endoftext|>", eos_token="<|im_end|>", chat_template=template
    )
    config = Qwen3Config(vocab_size=len(tokenizer), head_dim=8, num_key_value_heads=2, **SMALL)
    return save(Qwen3ForCausalLM(config), tokenizer, folder)


def model_card_scores(folder: Path, texts: list[tuple[str, str]], instruction: str, longest: int) -> list[float]:
    """What the code on the card of Qwen3-Reranker computes, query and document cut to `longest` tokens: the logit of
    yes minus that of no."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = Qwen3ForCausalLM.from_pretrained(folder).eval()
    before, after = (tokenizer.encode(text, add_special_tokens=False) for text in (QWEN_BEFORE, QWEN_AFTER))
    longest += len(tokenizer(f"<Instruct>: {instruction}\n")["input_ids"])
    bodies = [f"<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}" for query, document in texts]
    cut = tokenizer(bodies, padding=False, truncation="longest_first", max_length=longest)["input_ids"]
    padded = tokenizer.pad({"input_ids": [before + row + after for row in cut]}, padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**padded).logits[:, -1]
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    return (logits[:, yes] - logits[:, no]).tolist()


@pytest.mark.parametrize("template", [None, "{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}"])
@pytest.mark.parametrize("longest", [512, 48], ids=["whole", "cut"])
def test_a_qwen3_reranker_reads_the_prompt_of_its_card(
    template: str | None, longest: int, corpus: TinyCorpus, tmp_path: Path
) -> None:
    folder = save_qwen3(tmp_path / "qwen", template)
    instruction = "Given a web search query, retrieve relevant passages that answer the query"
    expected = model_card_scores(folder, pairs(corpus), instruction, longest)
    ranker = load_ranker(folder, "cross-encoder")
    np.testing.assert_allclose(found(ranker, corpus, longest), expected, atol=1e-5)
    save_ranker(ranker, tmp_path / "saved", "cross-encoder")
    again = found(load_ranker(tmp_path / "saved"), corpus, longest)
    np.testing.assert_allclose(again, found(ranker, corpus, longest), atol=1e-5)
    if longest == 512:
        theirs = CrossEncoder(str(tmp_path / "saved"), device="cpu")
        np.testing.assert_allclose(theirs.predict(pairs(corpus), activation_fn=torch.nn.Identity()), again, atol=1e-5)


def test_a_saved_instruction_stands_in_the_place_of_the_usual_one(corpus: TinyCorpus, tmp_path: Path) -> None:
    folder = save_qwen3(tmp_path / "qwen", None)
    save_ranker(load_ranker(folder, "cross-encoder"), tmp_path / "saved", "cross-encoder")
    theirs = CrossEncoder(str(tmp_path / "saved"), device="cpu", prompts={"own": "find it"}, default_prompt_name="own")
    theirs.save(str(tmp_path / "told"), create_model_card=False)
    expected = model_card_scores(folder, pairs(corpus), "find it", 512)
    np.testing.assert_allclose(found(load_ranker(tmp_path / "told"), corpus, 512), expected, atol=1e-5)


@pytest.mark.parametrize("labels", [1, 2])
@pytest.mark.parametrize(
    ("end", "special"),
    [(False, {"pad_token": "<pad>"}), (False, {}), (True, {}), (True, {"padding_side": "left"})],
    ids=["a pad token", "none", "none and an end token", "none, padded on the left"],
)
def test_a_decoder_scores_pairs_as_one_by_one(
    labels: int, end: bool, special: dict[str, str], corpus: TinyCorpus, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    tokenizer = words_tokenizer(end=end, **special)
    model = LlamaForSequenceClassification(LlamaConfig(vocab_size=len(tokenizer), num_labels=labels, **SMALL)).eval()
    folder = save(model, tokenizer, tmp_path / "decoder")
    with torch.inference_mode():
        single = [
            model(**tokenizer(*pair, return_tensors="pt", return_token_type_ids=False)).logits[0]
            for pair in pairs(corpus)
        ]
    expected = [float(one[-1] - (one[0] if labels == 2 else 0)) for one in single]
    ranker = load_ranker(folder)
    np.testing.assert_allclose(found(ranker, corpus), expected, atol=1e-5)
    save_ranker(ranker, tmp_path / "saved", "cross-encoder")
    theirs = CrossEncoder(str(tmp_path / "saved"), device="cpu").predict(
        pairs(corpus), activation_fn=torch.nn.Identity()
    )
    np.testing.assert_allclose(theirs if labels == 1 else theirs[:, 1] - theirs[:, 0], expected, atol=1e-5)


@pytest.mark.parametrize("template", [None, TEMPLATE], ids=["plain", "chat template"])
def test_a_causal_reranker_scores_as_in_sentence_transformers(
    template: str | None, corpus: TinyCorpus, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    tokenizer = words_tokenizer("yes", "no", "is", "in", "then", pad_token="<pad>")
    tokenizer.chat_template = template
    folder = save(LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **SMALL)), tokenizer, tmp_path / "raw")
    theirs = CrossEncoder(str(folder), device="cpu")
    expected = theirs.predict(pairs(corpus), activation_fn=torch.nn.Identity())
    ranker = load_ranker(folder, "cross-encoder")
    np.testing.assert_allclose(found(ranker, corpus), expected, atol=1e-5)
    theirs.save(str(tmp_path / "saved by them"), create_model_card=False)
    np.testing.assert_allclose(found(load_ranker(tmp_path / "saved by them"), corpus), expected, atol=1e-5)
    history = topic_trainer(ranker, epochs=2, learning_rate=1e-3).fit()
    assert history.loss[-1] < history.loss[0]
    save_ranker(ranker, tmp_path / "saved", "cross-encoder")
    again = CrossEncoder(str(tmp_path / "saved"), device="cpu").predict(
        pairs(corpus), activation_fn=torch.nn.Identity()
    )
    np.testing.assert_allclose(found(ranker, corpus), again, atol=1e-5)


def test_a_prompt_stands_before_the_pairs(tiny: ModelFiles, corpus: TinyCorpus, tmp_path: Path) -> None:
    folder = save_reranker(tiny, tmp_path / "plain")
    theirs = CrossEncoder(str(folder), prompts={"any": "is it relevant: "}, default_prompt_name="any", device="cpu")
    theirs.save(str(tmp_path / "prompted"), create_model_card=False)
    expected = theirs.predict(pairs(corpus), activation_fn=torch.nn.Identity())
    np.testing.assert_allclose(found(load_ranker(tmp_path / "prompted"), corpus), expected, atol=1e-5)
    assert np.abs(found(load_ranker(folder), corpus) - expected).max() > 1e-3


def save_t5(folder: Path, *answers: str) -> Path:
    torch.manual_seed(0)
    tokenizer = words_tokenizer(*answers, mark="▁", end=True, pad_token="<pad>")
    config = T5Config(
        vocab_size=len(tokenizer), d_model=16, d_ff=32, d_kv=8, num_layers=2, num_heads=2, decoder_start_token_id=2
    )
    return save(T5ForConditionalGeneration(config), tokenizer, folder)


def test_a_mono_t5_scores_by_its_own_logits(corpus: TinyCorpus, tmp_path: Path) -> None:
    folder = save_t5(tmp_path / "t5", "▁true", "▁false")
    model = T5ForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    true, false = tokenizer.convert_tokens_to_ids(["▁true", "▁false"])
    expected = []
    for query, document in pairs(corpus):
        text = tokenizer(f"Query: {query} Document: {document} Relevant:", return_tensors="pt")
        with torch.inference_mode():
            logits = model(
                input_ids=text["input_ids"],
                attention_mask=text["attention_mask"],
                decoder_input_ids=torch.tensor([[2]]),
            ).logits[0, 0]
        expected.append(float(logits[true] - logits[false]))
    ranker = load_ranker(folder, "cross-encoder")
    np.testing.assert_allclose(found(ranker, corpus), expected, atol=1e-5)
    for settings in ({}, {"lora": {"rank": 2}}, {"frozen_layers": 1}):
        history = topic_trainer(load_ranker(folder, "cross-encoder"), epochs=2, learning_rate=1e-3, **settings).fit()
        assert history.loss[-1] < history.loss[0]
    topic_trainer(ranker, epochs=1, learning_rate=1e-3).fit()
    save_ranker(ranker, tmp_path / "saved", "cross-encoder")
    np.testing.assert_allclose(found(load_ranker(tmp_path / "saved"), corpus), found(ranker, corpus), atol=1e-5)


def test_the_question_stays_when_a_document_is_cut(tmp_path: Path) -> None:
    ranker = load_ranker(save_t5(tmp_path, "▁true", "▁false"), "cross-encoder")
    assert isinstance(ranker, PairReader)
    (row,) = ranker.pairs([("pie", " ".join(BODIES * 20))], 16).columns["input_ids"]
    assert len(row) == 16
    assert ranker.tokenizer.convert_ids_to_tokens(row[-2:].tolist()) == ["▁Relevant:", "</s>"]  # type: ignore[attr-defined]


def test_a_generative_model_gets_no_random_head(tmp_path: Path) -> None:
    tokenizer = words_tokenizer(pad_token="<pad>")
    size = len(tokenizer)
    bart = BartConfig(
        vocab_size=size,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
    )
    models = {
        "bart": BartForConditionalGeneration(bart),
        "gpt2": GPT2LMHeadModel(GPT2Config(vocab_size=size, n_embd=16, n_layer=1, n_head=2)),
        "llama": LlamaForCausalLM(LlamaConfig(vocab_size=size, **SMALL)),
    }
    folders = [save(model, tokenizer, tmp_path / name) for name, model in models.items()]
    for folder in (*folders, save_t5(tmp_path / "t5")):
        with pytest.raises(UserError, match=r"head of random numbers|no tokens for true and false"):
            load_ranker(folder, "cross-encoder")
