"""Attention inside a packed row, where many texts stand one after another and none may see another.

First passages are read, each seeing itself; then queries are, each seeing itself and one passage whose keys and values
were kept. What comes out for a query depends on its own tokens and on its passage only, to the last bit, whatever else
is packed beside them: matrix products over a row always have the same number of rows, and attention always has the
shape of one text. So scores never depend on what the ledger already held.
tests/teachers/likelihood/test_query_likelihood.py holds this to account on the machine at hand.

Shapes: T tokens of a row, H query heads in G = H / V groups over V key heads, D numbers a head.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from harness._lazy import lazy
from harness.errors import UserError
from harness.llm.local_weights import UNKNOWN

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")
transformers = lazy("transformers")

PACKED = "harness-packed"
"""What `packed_attention` is called once it is known."""

Memory: TypeAlias = "list[tuple[Tensor, Tensor]]"
"""Keys and values (V, tokens, D) of one passage, by layer."""


class Layout(Protocol):
    """Who sees whom in a packed row; of use for one forward pass."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None = None) -> Tensor:
        """Attention of one layer: (H, T, D), (V, T, D), (V, T, D) to (H, T, D). Layers come in their order.

        A token sees the last `window` tokens of its text, itself among them, or all.
        """
        ...


def _packed(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: None, **options: Any
) -> tuple[Tensor, None]:
    """The form in which transformers calls an attention implementation: (1, heads, T, D) in, (1, T, H, D) out."""
    if extra := [name for name in UNKNOWN if options.get(name) is not None]:
        raise UserError(f"its attention uses {', '.join(extra)}")
    layout: Layout = options["layout"]
    out = layout.attend(query[0], key[0], value[0], options["scaling"], options.get("sliding_window"))
    return out.transpose(0, 1).unsqueeze(0), None


@cache
def packed_attention() -> str:
    """The attention implementation to load a model with; its forward then needs a `layout`."""
    transformers.AttentionInterface.register(PACKED, _packed)
    return PACKED


class Span(NamedTuple):
    """Tokens start to stop of a row, which are one passage, and where to keep what others need to see it."""

    start: int
    stop: int
    memory: Memory


@dataclass
class PackedPassages:
    """Passages, each seeing itself. Their keys and values are appended to their memories, layer by layer."""

    spans: Sequence[Span]
    windows: set[int | None] = field(default_factory=set)
    """Those that the layers have."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None = None) -> Tensor:
        self.windows.add(window)
        out = torch.zeros_like(query)
        for start, stop, memory in self.spans:
            own = key[:, start:stop], value[:, start:stop]
            memory.append(own)
            mask = None if window is None or stop - start <= window else _causal(0, stop - start, query, window)
            seen = torch.nn.functional.scaled_dot_product_attention(
                query[None, :, start:stop],
                own[0][None],
                own[1][None],
                mask,
                is_causal=mask is None,
                scale=scale,
                enable_gqa=True,
            )
            out[:, start:stop] = seen[0]
        return out


class QueryGroup(NamedTuple):
    """From token `start` of a row on, so many `queries` of `length` tokens each, all after the same passage."""

    start: int
    queries: int
    length: int
    memory: Memory


@dataclass
class PackedQueries:
    """Queries, each seeing itself and the passage before it."""

    groups: Sequence[QueryGroup]
    _layers: itertools.count[int] = field(default_factory=itertools.count)
    _masks: dict[int | None, list[Tensor]] = field(default_factory=dict)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float, window: int | None = None) -> Tensor:
        layer = next(self._layers)
        if window not in self._masks:
            self._masks[window] = [_mask(group, query, query.shape[0] // key.shape[0], window) for group in self.groups]
        out = torch.zeros_like(query)
        for group, mask in zip(self.groups, self._masks[window], strict=True):
            own = slice(group.start, group.start + group.queries * group.length)
            out[:, own] = _attend(group, query[:, own], key[:, own], value[:, own], group.memory[layer], mask, scale)
        return out


def _mask(group: QueryGroup, like: Tensor, heads: int, window: int | None) -> Tensor:
    """Added to scores (G * length, tokens of the passage + length): a query's tokens see the passage and what came
    before them."""
    return _causal(group.memory[0][0].shape[1], group.length, like, window).repeat(heads, 1)


def _causal(past: int, length: int, like: Tensor, window: int | None) -> Tensor:
    """Added to scores (length, past + length) of the last `length` tokens of a text: who sees the tokens of its
    `window` so far."""
    ahead = (
        torch.arange(past + length, device=like.device) - torch.arange(past, past + length, device=like.device)[:, None]
    )
    hidden = ahead > 0 if window is None else (ahead > 0) | (ahead <= -window)
    return like.new_zeros(length, past + length).masked_fill(hidden, -torch.inf)


def _attend(
    group: QueryGroup,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    seen: tuple[Tensor, Tensor],
    mask: Tensor,
    scale: float,
) -> Tensor:
    """Attention of a group's tokens: (H, tokens, D), (V, tokens, D), (V, tokens, D) to (H, tokens, D).

    The heads that share a key head are folded into one, so that keys and values need no copies for them.
    """
    heads, tokens, size = query.shape
    shape = key.shape[0], heads // key.shape[0], group.queries, group.length, size
    asked = query.reshape(shape).permute(2, 0, 1, 3, 4).flatten(2, 3)
    keys, values = (
        torch.cat((past.expand(group.queries, -1, -1, -1), own.reshape(shape[0], *shape[2:]).transpose(0, 1)), 2)
        for past, own in zip(seen, (key, value), strict=True)
    )
    out = torch.nn.functional.scaled_dot_product_attention(asked, keys, values, attn_mask=mask, scale=scale)
    return out.view(group.queries, *shape[:2], group.length, size).permute(1, 2, 0, 3, 4).reshape(heads, tokens, size)
