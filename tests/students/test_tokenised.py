"""Texts as token ids: passes within a budget, padding, and the order of outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.students.tokenised import StaticTokens, TransformerTokens, cut_into_passes, run_sorted

CPU = torch.device("cpu")


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 100))
def test_passes_cover_everything_once_within_the_budget(lengths: list[int], budget: int) -> None:
    parts = list(cut_into_passes(np.array(lengths), budget))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(lengths)))
    assert all(len(part) == 1 or len(part) * max(lengths[row] for row in part) <= budget for part in parts)


class Tokenizer:
    """Letters as tokens."""

    pad_token_id = 9
    padding_side = "right"

    def __call__(
        self, texts: list[str], truncation: bool, max_length: int, return_attention_mask: bool
    ) -> dict[str, list[list[int]]]:
        return {
            "input_ids": [[ord(letter) for letter in text[:max_length]] for text in texts],
            "token_type_ids": [[1] * len(text[:max_length]) for text in texts],
        }


@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_goes_to_the_tokenizers_side(side: str) -> None:
    tokenizer = Tokenizer()
    tokenizer.padding_side = side
    features = TransformerTokens.of(tokenizer, ["abcde", "x", "yz"], 3).features(np.array([1, 0]), CPU)
    short, mask = ([120, 9, 9], [1, 0, 0]) if side == "right" else ([9, 9, 120], [0, 0, 1])
    assert features["input_ids"].tolist() == [short, [97, 98, 99]]
    assert features["attention_mask"].tolist() == [mask, [1, 1, 1]]
    assert features["token_type_ids"].tolist() == [mask, [1, 1, 1]]


def test_static_texts_lie_end_to_end_even_when_empty() -> None:
    tokens = StaticTokens([np.array([1, 2]), np.array([], dtype=np.int64), np.array([3])], np.array([2, 0, 1]))
    features = tokens.features(np.array([2, 1, 0]), CPU)
    assert features["input_ids"].tolist() == [3, 1, 2] and features["offsets"].tolist() == [0, 1, 1]


def test_outputs_come_back_in_the_order_asked_for() -> None:
    tokens = TransformerTokens.of(Tokenizer(), ["aaaa", "b", "ccc", "dd"], 10)
    rows = np.array([3, 0, 2, 1, 0])
    first = run_sorted(lambda features: features["input_ids"][:, 0], tokens, rows, CPU)
    assert first.tolist() == [100.0, 97.0, 99.0, 98.0, 97.0]
