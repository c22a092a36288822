"""Texts as token ids, tokenised once and padded only as far as the longest text of a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from harness._lazy import lazy

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
else:
    torch = lazy("torch")

ON_ACCELERATOR = 32
"""How many times larger passes are where an accelerator must be kept busy."""


class Tokens(Protocol):
    """Tokenised texts."""

    pass_tokens: ClassVar[int]
    """Tokens of one pass on a CPU, padding included."""

    @property
    def lengths(self) -> np.ndarray:
        """(N,) int64"""
        ...

    def features(self, rows: np.ndarray, device: torch.device) -> dict[str, torch.Tensor]:
        """What the model reads for the texts at `rows`."""
        ...


@dataclass(frozen=True)
class TransformerTokens:
    """Token ids of a transformer with everything else its tokenizer gives (token types), ragged."""

    pass_tokens: ClassVar[int] = 4_096
    columns: dict[str, list[np.ndarray]]
    lengths: np.ndarray
    pad: int
    pads_left: bool
    prompt_length: int = 0
    """How many leading tokens of each text (its prompt) the pooling leaves out."""
    constants: dict[str, Any] = field(default_factory=dict)
    """What the model reads beside the tokens, the same for all texts."""

    @classmethod
    def of(
        cls, tokenizer: Any, inputs: Sequence[str] | Sequence[tuple[str, str]], max_length: int, prompt_length: int = 0
    ) -> TransformerTokens:
        """Tokenises texts, or pairs as a cross-encoder reads them, cut to `max_length` tokens with special tokens."""
        columns: dict[str, list[np.ndarray]] = {}
        for start in range(0, len(inputs), 1_000):
            block = list(inputs[start : start + 1_000])
            for name, rows in tokenizer(
                block, truncation=True, max_length=max_length, return_attention_mask=False
            ).items():
                columns.setdefault(name, []).extend(np.asarray(row, dtype=np.int32) for row in rows)
        lengths = np.array([len(row) for row in columns.get("input_ids", ())], dtype=np.int64)
        return cls(columns, lengths, tokenizer.pad_token_id, tokenizer.padding_side == "left", prompt_length)

    def features(self, rows: np.ndarray, device: torch.device) -> dict[str, torch.Tensor]:
        lengths = self.lengths[rows, None]
        places = np.arange(lengths.max())
        mask = places >= lengths.max() - lengths if self.pads_left else places < lengths
        padded: dict[str, Any] = {"attention_mask": mask.astype(np.int64)}
        for name, column in self.columns.items():
            padded[name] = np.full(mask.shape, self.pad if name == "input_ids" else 0, dtype=np.int64)
            padded[name][mask] = np.concatenate([column[row] for row in rows])
        features = {name: torch.from_numpy(values).to(device) for name, values in padded.items()} | self.constants
        # A number on its own stays on the processor, where the pooling reads it.
        return (
            {**features, "prompt_length": torch.full((len(rows),), self.prompt_length)}
            if self.prompt_length
            else features
        )


@dataclass(frozen=True)
class StaticTokens:
    """Token ids of a static-embedding student: no special tokens, no padding."""

    pass_tokens: ClassVar[int] = 1_000_000
    ids: list[np.ndarray]
    lengths: np.ndarray

    @classmethod
    def of(cls, tokenizer: Tokenizer, texts: Sequence[str], max_length: int) -> StaticTokens:
        """Tokenises texts and keeps their first `max_length` tokens."""
        ids: list[np.ndarray] = []
        for start in range(0, len(texts), 1_000):
            encodings = tokenizer.encode_batch(list(texts[start : start + 1_000]), add_special_tokens=False)
            ids.extend(np.array(encoding.ids[:max_length], dtype=np.int64) for encoding in encodings)
        return cls(ids, np.array([len(row) for row in ids], dtype=np.int64))

    def features(self, rows: np.ndarray, device: torch.device) -> dict[str, torch.Tensor]:
        offsets = np.concatenate([[0], np.cumsum(self.lengths[rows])[:-1]])
        ids = np.concatenate([self.ids[row] for row in rows])
        return {"input_ids": torch.from_numpy(ids).to(device), "offsets": torch.from_numpy(offsets).to(device)}


def cut_into_passes(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    """Positions of `lengths` (N,), shortest first, cut so that rows times the longest stay within `budget` (one row at
    least)."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end - start + 1) * lengths[order[end]] > budget:
            yield order[start:end]
            start = end


def run_sorted(
    forward: Callable[[dict[str, torch.Tensor]], torch.Tensor],
    tokens: Tokens,
    rows: np.ndarray,
    device: torch.device,
    done: Callable[[int], None] | None = None,
) -> torch.Tensor:
    """`forward` over the texts at `rows` in passes of like length; the outputs (one a row, float32) come in the order
    of `rows`."""

    budget = tokens.pass_tokens * (1 if device.type == "cpu" else ON_ACCELERATOR)
    parts, order, count = [], [], 0
    for part in cut_into_passes(tokens.lengths[rows], budget):
        parts.append(forward(tokens.features(rows[part], device)).float())
        order.append(part)
        count += len(part)
        if done is not None:
            done(count)
    back = torch.from_numpy(np.argsort(np.concatenate(order))).to(device)
    return torch.cat(parts).index_select(0, back)
