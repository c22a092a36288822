"""Language models of few random weights, for checks of methods and students that look inside one. What they say means
nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.device import deterministic
from harness.models import resolve_model
from harness.pretrained.loading import silence_libraries

if TYPE_CHECKING:
    import tokenizers
else:
    tokenizers = lazy("tokenizers")


transformers = lazy("transformers")

_PAD, _END = "<pad>", "</s>"
_TOKENS = 320
"""Every byte, two special tokens, and a few pairs of bytes."""


def tiny_decoder(folder: Path, seed: int) -> Path:
    """A Llama in `folder`, drawn from `seed`, unless it is there."""
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    config = transformers.LlamaConfig(vocab_size=_TOKENS, **sizes, initializer_range=0.3, tie_word_embeddings=True)
    return _built(folder, seed, lambda: transformers.LlamaForCausalLM(config))


def tiny_fusion(folder: Path, seed: int) -> Path:
    """A T5 in `folder`, drawn from `seed`, unless it is there."""
    sizes: dict[str, Any] = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_heads": 4, "num_layers": 2}
    config = transformers.T5Config(
        vocab_size=_TOKENS, **sizes, initializer_factor=3.0, decoder_start_token_id=0, pad_token_id=0
    )
    return _built(folder, seed, lambda: transformers.T5ForConditionalGeneration(config))


def tiny_masked(folder: Path, seed: int) -> Path:
    """A BERT with a masked-language head in `folder`, drawn from `seed`, unless it is there; it has the vocabulary of
    bundled:bert-tiny."""
    if not (folder / "tokenizer.json").is_file():
        tokenizer = transformers.AutoTokenizer.from_pretrained(resolve_model("bundled:bert-tiny").path)
        sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
        config = transformers.BertConfig(
            vocab_size=len(tokenizer), **sizes, intermediate_size=32, max_position_embeddings=64, initializer_range=0.3
        )
        with silence_libraries(), deterministic(seed):
            transformers.BertForMaskedLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def _built(folder: Path, seed: int, make: Any) -> Path:
    if not (folder / "tokenizer.json").is_file():
        with silence_libraries(), deterministic(seed):
            make().save_pretrained(folder)
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=_tokenizer(), pad_token=_PAD, eos_token=_END
        ).save_pretrained(folder)
    return folder


def _tokenizer() -> tokenizers.Tokenizer:
    """Bytes, and the most frequent pairs of a few words; ends every text with a token of its own."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=_TOKENS, special_tokens=[_PAD, _END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(["passage question answer query document"] * 3, trainer)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single=f"$A {_END}", special_tokens=[(_END, 1)])
    return tokenizer
