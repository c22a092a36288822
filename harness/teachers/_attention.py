"""Attention inside a packed row, where many texts stand one after another and none may see another.

First passages are read, each seeing itself; then queries are, each seeing itself and one passage whose keys and values were kept.
What comes out for a query depends on its own tokens and on its passage only, to the last bit, whatever else is packed beside them
(matrix products with a fixed number of rows, or a multiple of 16, treat a row alike wherever it stands). So scores never depend
on what the ledger already held. tests/teachers/test_likelihood.py holds this to account on the machine at hand.

Shapes: T tokens of a row, H query heads in G = H / V groups over V key heads, D numbers a head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface

from harness.errors import UserError

PACKED = "harness-packed"
"""The attention implementation to load a model with; its forward then needs a `layout`."""

_ROWS = 16
"""Products of a passage with its queries run over a multiple of so many tokens."""

Memory = list[tuple[Tensor, Tensor]]
"""Keys and values (V, tokens, D) of one passage, by layer."""


class Layout(Protocol):
    """Who sees whom in a packed row."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        """Attention of one layer: (H, T, D), (V, T, D), (V, T, D) to (H, T, D). Layers must come in their order."""
        ...


def _packed(module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: None, **options: Any) -> tuple[Tensor, None]:
    """The form in which transformers calls an attention implementation: (1, heads, T, D) in, (1, T, H, D) out."""
    if extra := [name for name in ("sliding_window", "softcap", "s_aux") if options.get(name) is not None]:
        raise UserError(
            f"the model's attention uses {', '.join(extra)}, which the likelihood teacher cannot do", remedy="take another model"
        )
    layout: Layout = options["layout"]
    out = layout.attend(query[0], key[0], value[0], options["scaling"])
    return out.transpose(0, 1).unsqueeze(0), None


AttentionInterface.register(PACKED, _packed)


class Span(NamedTuple):
    """Tokens start to stop of a row, and the passage they belong to."""

    start: int
    stop: int
    memory: Memory


@dataclass(frozen=True)
class Passages:
    """Passages, each seeing itself. Their keys and values are appended to their memories, layer by layer."""

    spans: list[Span]

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        out = torch.zeros_like(query)
        for start, stop, memory in self.spans:
            own = key[:, start:stop], value[:, start:stop]
            memory.append(own)
            seen = F.scaled_dot_product_attention(
                query[None, :, start:stop], own[0][None], own[1][None], is_causal=True, scale=scale, enable_gqa=True
            )
            out[:, start:stop] = seen[0]
        return out


class _Seen(NamedTuple):
    """Attention before normalisation, in float32: values (V, G, T, D) weighted by exp(score - top), their sum and the top (V, G, T, 1).

    Two such parts over different keys combine to the attention over all of them.
    """

    values: Tensor
    total: Tensor
    top: Tensor

    @classmethod
    def nothing(cls, query: Tensor) -> _Seen:
        column = query.new_zeros(*query.shape[:-1], 1)
        return cls(torch.zeros_like(query), column + 1, column)

    @classmethod
    def of(cls, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> _Seen:
        scores = query @ key.transpose(-1, -2)
        if mask is not None:
            scores += mask
        top = scores.amax(-1, keepdim=True)
        weights = scores.sub_(top).exp_()
        return cls(weights @ value, weights.sum(-1, keepdim=True), top)

    def join(self, other: _Seen) -> Tensor:
        """Attention over the keys of both, normalised."""
        top = torch.maximum(self.top, other.top)
        mine, others = (self.top - top).exp_(), (other.top - top).exp_()
        return (self.values * mine + other.values * others) / (self.total * mine + other.total * others)


class Group(NamedTuple):
    """Queries that take equally many places, R of L: row numbers of their tokens (R, L), where padding repeats the first token;
    which of the R * L are tokens, and where those stand in the row."""

    places: Tensor
    real: Tensor
    target: Tensor


@dataclass(frozen=True)
class Queries:
    """Queries, each seeing itself (by groups) and the passage before it (by spans). At least 15 rows must follow the last token."""

    spans: list[Span]
    groups: list[Group]
    _layer: Iterator[int]

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        heads, tokens, size = query.shape
        folded = (query.float() * scale).view(key.shape[0], heads // key.shape[0], tokens, size)
        layer = next(self._layer)
        both = self._passages(folded, layer).join(self._themselves(folded, key.float(), value.float()))
        return both.reshape(heads, tokens, size).to(query.dtype)

    def _passages(self, query: Tensor, layer: int) -> _Seen:
        out = _Seen.nothing(query)
        heads, groups, _, size = query.shape
        for start, stop, memory in self.spans:
            rows = -(-(stop - start) // _ROWS) * _ROWS
            asked = query[:, :, start : start + rows].reshape(heads, groups * rows, size)
            key, value = memory[layer]
            for whole, part in zip(out, _Seen.of(asked, key.float(), value.float()), strict=True):
                whole[:, :, start:stop] = part.view(heads, groups, rows, -1)[:, :, : stop - start]
        return out

    def _themselves(self, query: Tensor, key: Tensor, value: Tensor) -> _Seen:
        out = _Seen.nothing(query)
        heads, groups, _, size = query.shape
        for places, real, target in self.groups:
            count, length = places.shape
            asked = query[:, :, places].transpose(1, 2).reshape(heads, count, groups * length, size)
            later = query.new_full((length, length), -torch.inf).triu(1).repeat(groups, 1)
            for whole, part in zip(out, _Seen.of(asked, key[:, places], value[:, places], later), strict=True):
                flat = part.view(heads, count, groups, length, -1).transpose(1, 2).flatten(2, 3)
                whole[:, :, target] = flat[:, :, real]
        return out
