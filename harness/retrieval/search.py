"""Exact nearest neighbours in blocks: what is held is one block of embeddings, its scores and the best so far."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.retrieval.order import Hits
from harness.retrieval.precision import device

if TYPE_CHECKING:
    from torch import Tensor

    from harness.stage import Progress

_QUERIES = 512
_DOCUMENTS = 8192
"""Sizes of a block, whose scores take 16 MiB."""
_GROUP = 32
"""Scores whose maximum is compared before they are looked at one by one; divides _DOCUMENTS."""


class _Found(NamedTuple):
    """Candidates of a block of queries: query (n,), row (n,) and score (n,) float32."""

    queries: np.ndarray
    rows: np.ndarray
    scores: np.ndarray


_NOTHING = _Found(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def exact_search(
    corpus: np.ndarray, queries: np.ndarray, ranks: np.ndarray, depth: int, similarity: str = "dot", progress: Progress | None = None
) -> Iterator[Hits]:
    """For every query the first `depth` documents by dot product or cosine, best first.

    `corpus` (N, D), which may be memory-mapped, `queries` (Q, D), both float32, `ranks` (N,) of document ids (`id_ranks`): ties go to
    the greater id, also at the last place. The cosine with a vector of zeros is 0.
    """
    cosine = similarity == "cosine"
    for start in range(0, len(queries), _QUERIES):
        stop = min(start + _QUERIES, len(queries))
        found = _search(corpus, _tensor(queries[start:stop], cosine), ranks, max(1, min(depth, len(corpus))), cosine)
        bounds = np.searchsorted(found.queries, np.arange(stop - start + 1))
        for first, last in pairwise(bounds):
            yield Hits(found.rows[first:last][::-1], found.scores[first:last][::-1])
        if progress:
            progress(stop, len(queries), "queries")


def _tensor(rows: np.ndarray, unit: bool) -> Tensor:
    """On the device, without a copy where it can be; divided by their lengths if `unit`."""
    import torch

    tensor = torch.from_numpy(np.require(rows, np.float32, ["C", "W"])).to(device())
    return torch.nn.functional.normalize(tensor) if unit else tensor


def _search(corpus: np.ndarray, queries: Tensor, ranks: np.ndarray, depth: int, cosine: bool) -> _Found:
    """The first `depth` of each query, ascending by query, score and rank.

    Only scores that reach the `depth`-th best so far (`floor`) are looked at; floors rise whenever enough candidates have come.
    """
    import torch

    scores = torch.empty((len(queries), _DOCUMENTS), device=queries.device)
    floor = torch.full((len(queries), 1), -torch.inf, device=queries.device)
    wanted = depth * len(queries)
    found, waiting = [_NOTHING], 0
    with torch.inference_mode():
        for start in range(0, len(corpus), _DOCUMENTS):
            _product(queries, _tensor(corpus[start : start + _DOCUMENTS], cosine), scores)
            if start == 0 and depth <= min(len(corpus), _DOCUMENTS):
                floor = scores.topk(depth).values[:, -1:]
            found.append(_reaching(scores, floor, start))
            waiting += len(found[-1].rows)
            if waiting > wanted // 2:
                kept, floors = _above(_joined(found), len(queries), depth)
                # So many reach the floors only where ties abound.
                found, waiting = [_first(kept, ranks, depth) if len(kept.rows) > 2 * wanted else kept], 0
                floor = torch.from_numpy(floors).to(floor)
    kept, _ = _above(_joined(found), len(queries), depth)
    return _first(kept, ranks, depth)


def _product(queries: Tensor, block: Tensor, scores: Tensor) -> None:
    """Into `scores`, whose columns beyond the block become -inf."""
    import torch

    if len(block) == scores.shape[1]:
        torch.mm(queries, block.T, out=scores)
    else:
        scores[:, : len(block)] = queries @ block.T
        scores[:, len(block) :] = -torch.inf


def _reaching(scores: Tensor, floor: Tensor, start: int) -> _Found:
    """Every score that is at least its query's floor; the -inf of missing documents are none."""
    import torch

    per_query = scores.shape[1] // _GROUP
    groups = scores.view(-1, _GROUP)
    group = (groups.amax(1).view(-1, per_query) >= floor).view(-1).nonzero().squeeze(1)
    values = groups[group].view(-1)
    at = (values.view(-1, _GROUP) >= floor[group // per_query]).view(-1).nonzero().squeeze(1)
    values, place = values[at], group[at // _GROUP] * _GROUP + at % _GROUP
    found = _Found(*(column.cpu().numpy() for column in (place // scores.shape[1], start + place % scores.shape[1], values)))
    return found if torch.isfinite(values).all() else _Found(*(column[found.scores > -np.inf] for column in found))


def _joined(found: list[_Found]) -> _Found:
    return _Found(*map(np.concatenate, zip(*found, strict=True)))


def _above(found: _Found, size: int, depth: int) -> tuple[_Found, np.ndarray]:
    """Those that reach the `depth`-th best score of their query, and these floors (size, 1), -inf where there are fewer scores."""
    bits = found.scores.view(np.uint32)
    # As unsigned numbers, floats are in order once the negative ones are inverted and the others moved above them.
    ordered = np.where(bits >> 31, ~bits, bits | 0x8000_0000)
    keys = np.sort(found.queries.astype(np.uint64) << 32 | ordered)
    ends = np.searchsorted(keys, np.arange(1, size + 1, dtype=np.uint64) << 32)
    full = np.diff(ends, prepend=0) >= depth
    last = keys[ends[full] - depth].astype(np.uint32)
    floors = np.full((size, 1), -np.inf, dtype=np.float32)
    floors[full, 0] = np.where(last >> 31, last & 0x7FFF_FFFF, ~last).view(np.float32)
    kept = found.scores >= floors[found.queries, 0]
    return _Found(*(column[kept] for column in found)), floors


def _first(found: _Found, ranks: np.ndarray, depth: int) -> _Found:
    order = np.lexsort((ranks[found.rows], found.scores, found.queries))
    queries = found.queries[order]
    from_end = np.searchsorted(queries, queries, side="right") - np.arange(len(queries))
    order = order[from_end <= depth]
    return _Found(*(column[order] for column in found))
