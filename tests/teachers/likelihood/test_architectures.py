"""Causal models of many kinds, tiny and random, against their own full forward pass: packed where that is right, else
one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from harness.errors import UserError
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.progress import silent
from harness.teachers.attention.attention_answering import attending
from harness.teachers.likelihood._packing_trial import scorer_for
from harness.teachers.likelihood._scorer import Packed, Plain
from harness.teachers.likelihood.answer_likelihood import AnswerPromptSettings, AnswerTask
from harness.teachers.make import teacher_from
from tests.teachers.likelihood.test_query_likelihood import label, naive, scores_of
from tests.teachers.tiny import make_tasks

pytestmark = pytest.mark.models

_USUAL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.3,
}
_GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.3}

PACKED: dict[str, Callable[..., Any]] = {
    "llama": lambda **size: transformers.LlamaConfig(**_USUAL, **size),
    "gpt2": lambda **size: transformers.GPT2Config(**_GPT, **size),
    "opt": lambda **size: transformers.OPTConfig(
        hidden_size=32,
        word_embed_proj_dim=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        ffn_dim=64,
        init_std=0.3,
        **size,
    ),
    "qwen3": lambda **size: transformers.Qwen3Config(**_USUAL, head_dim=8, **size),
    "mistral": lambda **size: transformers.MistralConfig(**_USUAL, sliding_window=4096, **size),
    "short window": lambda **size: transformers.MistralConfig(**_USUAL, sliding_window=8, **size),
    "some windows": lambda **size: transformers.Gemma3TextConfig(
        **_USUAL, head_dim=8, sliding_window=8, layer_types=["sliding_attention", "full_attention"], **size
    ),
}
PLAIN: dict[str, tuple[str, Callable[..., Any]]] = {
    "granite": ("logits", lambda **size: transformers.GraniteConfig(**_USUAL, logits_scaling=8.0, **size)),
    "cohere": ("logits", lambda **size: transformers.CohereConfig(**_USUAL, **size)),
    "capped": (
        "logits",
        lambda **size: transformers.Gemma3TextConfig(
            **_USUAL,
            head_dim=8,
            sliding_window=8,
            layer_types=["full_attention"] * 2,
            final_logit_softcapping=5.0,
            **size,
        ),
    ),
    "gemma2": (
        "softcap",
        lambda **size: transformers.Gemma2Config(**_USUAL, head_dim=8, attn_logit_softcapping=2.0, **size),
    ),
    "bloom": (
        "layers",
        lambda **size: transformers.BloomConfig(hidden_size=32, n_layer=2, n_head=4, initializer_range=0.3, **size),
    ),
    "gpt-neo": (
        "KeyError",
        lambda **size: transformers.GPTNeoConfig(
            hidden_size=32, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]], window_size=8, **size
        ),
    ),
    "falcon": (
        "KeyError",
        lambda **size: transformers.FalconConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, **size),
    ),
    "mpt": (
        "AttributeError",
        lambda **size: transformers.MptConfig(d_model=32, n_heads=4, n_layers=2, initializer_range=0.3, **size),
    ),
    "mask only": (
        "window",
        lambda **size: transformers.PhimoeConfig(**_USUAL, sliding_window=8, num_local_experts=4, **size),
    ),
    "mixed": (
        "layers",
        lambda **size: transformers.Lfm2Config(**_USUAL, layer_types=["conv", "full_attention"], **size),
    ),
}


def saved(config: Callable[..., Any], tiny: Path, folder: Path, seed: int = 0) -> Path:
    """A model with random weights, and the tiny model's tokenizer."""
    torch.manual_seed(seed)
    vocabulary = transformers.AutoConfig.from_pretrained(tiny).vocab_size
    made = config(vocab_size=vocabulary, bos_token_id=0, eos_token_id=0, pad_token_id=1)
    transformers.AutoModelForCausalLM.from_config(made).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).write_bytes((tiny / file).read_bytes())
    return folder


def agrees(folder: Path, ledger: Ledger) -> None:
    tasks = make_tasks(3, 4, 8)
    for ranking, expected in zip(label(tasks, ledger, model=str(folder)), naive(folder, tasks), strict=True):
        assert scores_of(ranking) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", PACKED)
def test_models_that_can_be_packed_are(
    name: str, tiny: Path, tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    folder = saved(PACKED[name], tiny, tmp_path / "model")
    assert isinstance(scorer_for(folder, "it", "fp32", 512), Packed)
    assert isinstance(scorer_for(folder, "it", "bf16", 512), Packed)
    agrees(folder, ledger)
    assert not caplog.records


@pytest.mark.parametrize("name", PLAIN)
def test_all_others_are_read_pair_by_pair(
    name: str, tiny: Path, tmp_path: Path, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    reason, config = PLAIN[name]
    folder = saved(config, tiny, tmp_path / "odd-model")
    assert isinstance(scorer_for(folder, "it", "bf16", 512), Plain)
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        agrees(folder, ledger)
        scorer_for(folder, str(folder), "fp32", 512)
    (told,) = [record.getMessage() for record in caplog.records if record.name.startswith("harness")]
    assert f"'{folder}' cannot be packed" in told and reason in told and "slower" in told


def test_a_windowed_score_does_not_depend_on_its_neighbours(tiny: Path, tmp_path: Path) -> None:
    folder = saved(PACKED["short window"], tiny, tmp_path / "model")
    tasks = make_tasks(8, 5, 12)
    together = label(tasks, Ledger(tmp_path / "together"), model=str(folder))
    assert label([tasks[3]], Ledger(tmp_path / "alone"), model=str(folder)) == [together[3]]


@pytest.mark.parametrize("name", ["llama", "granite"])
def test_a_model_without_numbers_is_refused_by_name(name: str, tiny: Path, tmp_path: Path, ledger: Ledger) -> None:
    folder = saved({**PACKED, "granite": PLAIN["granite"][1]}[name], tiny, tmp_path / "broken")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        model.model.norm.weight.fill_(torch.nan)
    model.save_pretrained(folder)
    with pytest.raises(UserError, match=r"broken' cannot score texts: .* no numbers") as refused:
        label(make_tasks(1, 2, 3), ledger, model=str(folder))
    assert refused.value.remedy is not None and "vllm-likelihood" in refused.value.remedy


def attend(folder: Path, ledger: Ledger, words: int = 3) -> list[float]:
    teacher = teacher_from({"kind": "likelihood", "model": str(folder), "precision": "fp32"})
    shown = (Candidate("a", "neural " * words), Candidate("b", "music " * words))
    task = AnswerTask(**vars(Task("q", "graph search", shown)), answer="music")
    (found,) = attending(teacher, Path(), AnswerPromptSettings(depth=2), "norms").label([task], ledger, silent)
    return list(scores_of(found).values())


@pytest.mark.parametrize("name", ["bloom", "falcon", "gemma2", "mixed"])
def test_attention_that_cannot_be_recorded_is_refused_in_words(
    name: str, tiny: Path, tmp_path: Path, ledger: Ledger
) -> None:
    folder = saved(PLAIN[name][1], tiny, tmp_path / "model")
    with pytest.raises(UserError, match="cannot be recorded") as refused:
        attend(folder, ledger)
    assert str(folder) in refused.value.message and refused.value.remedy


def test_attention_is_recorded_within_the_reader_s_window(tiny: Path, tmp_path: Path, ledger: Ledger) -> None:
    def windowed(tokens: int) -> Path:
        return saved(
            lambda **size: transformers.MistralConfig(**_USUAL, sliding_window=tokens, **size),
            tiny,
            tmp_path / str(tokens),
        )

    assert min(attend(saved(PLAIN["granite"][1], tiny, tmp_path / "granite"), ledger)) > 0
    wide = attend(windowed(4096), ledger)
    assert wide == attend(windowed(300), ledger) and min(wide) > 0
    with pytest.raises(UserError, match="sees 30 tokens"):
        attend(windowed(30), ledger, words=40)
