"""A causal language model of a few thousand weights, and tasks for it."""

from __future__ import annotations

import random
from pathlib import Path

from harness.labelling.labels.teacher import Candidate, Task

WORDS = [
    "graph",
    "neural",
    "ranking",
    "of",
    "documents",
    "with",
    "large",
    "language",
    "models",
    "and",
    "bases",
    "in",
    "semantic",
    "music",
]


def make_model(folder: Path) -> Path:
    """A Llama with random weights, two heads sharing each key head, and a byte-level tokenizer that starts every text
    with a token."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 5, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def make_tasks(queries: int, depth: int, documents: int, seed: int = 0) -> list[Task]:
    """Queries of one to nine words over passages of none to ninety words."""
    choose = random.Random(seed)
    texts = {f"d{number}": " ".join(choose.choices(WORDS, k=choose.randint(0, 90))) for number in range(documents)}
    return [
        Task(
            f"q{number}",
            " ".join(choose.choices(WORDS, k=choose.choice([1, 1, 2, 3, 9]))),
            tuple(Candidate(id, texts[id]) for id in choose.sample(sorted(texts), depth)),
        )
        for number in range(queries)
    ]
