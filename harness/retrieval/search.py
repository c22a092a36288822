"""Exact nearest neighbours in blocks: what is held is one block of embeddings, its scores and the best so far.

Products are taken in bfloat16 where this machine is faster with it. That only makes a shortlist, by bounds on the
rounding that no document among the first can fall below; the shortlist is scored anew in float32, each document alone,
so that equal documents have equal scores and every machine finds the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harness._lazy import lazy
from harness.device import best_dtype, device
from harness.retrieval.shortlist import NOTHING, Shortlist, first, floors, joined
from harness.retrieval.trec_order import Hits

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.progress import Progress
else:
    torch = lazy("torch")

_QUERIES = 512
_DOCUMENTS = 8192
"""Sizes of a block, whose scores take at most 16 MiB."""
_GROUP = 32
"""Scores whose maximum is compared before they are looked at one by one; divides _DOCUMENTS."""


def exact_search(
    corpus: np.ndarray,
    queries: np.ndarray,
    ranks: np.ndarray,
    depth: int,
    similarity: str = "dot",
    progress: Progress | None = None,
) -> Iterator[Hits]:
    """For every query the first `depth` documents by dot product or cosine, best first.

    `corpus` (N, D) float32 or float16, which may be memory-mapped, `queries` (Q, D) float32, `ranks` (N,) of document
    ids (`id_ranks`): ties go to the greater id, also at the last place. The cosine with a vector of zeros is 0.
    """
    for start in range(0, len(queries), _QUERIES):
        stop = min(start + _QUERIES, len(queries))
        search = _Search(corpus, queries[start:stop], ranks, max(1, min(depth, len(corpus))), similarity == "cosine")
        found = search.run()
        bounds = np.searchsorted(found.queries, np.arange(stop - start + 1))
        for begin, end in pairwise(bounds):
            yield Hits(found.rows[begin:end][::-1], found.scores[begin:end][::-1])
        if progress:
            progress(stop, len(queries), "queries")


class _Search:
    """A block of queries against the whole corpus.

    Every shortlisted score is off by at most `error` of its query, plus `unit` of its own size.
    """

    def __init__(self, corpus: np.ndarray, queries: np.ndarray, ranks: np.ndarray, depth: int, cosine: bool) -> None:

        self.corpus, self.ranks, self.depth, self.cosine = corpus, ranks, depth, cosine
        self.queries = _unit(queries) if cosine else queries
        narrow = device().type == "cpu" and best_dtype() == "bf16"
        self.dtype = torch.bfloat16 if narrow else torch.float32
        self.unit = 2.0**-8 if narrow else 2.0**-24
        exact = torch.from_numpy(np.require(self.queries, np.float32, ["C", "W"]))
        self.rounded = exact.to(device(), self.dtype)
        back = self.rounded.float().cpu()
        # |q.d - q'.d'| <= (|q - q'| + unit |q'|) |d| by Cauchy and Schwarz, and 2^-22 D |q'| |d'| for the sums,
        # generously.
        self.share = (exact - back).norm(dim=1) + (self.unit + corpus.shape[1] * 2.0**-22) * back.norm(dim=1)
        self.error = np.zeros((len(queries), 1), dtype=np.float32)

    def run(self) -> Shortlist:
        """The first `depth` of each query, ascending by query, score and rank."""

        size, wanted = len(self.queries), self.depth * len(self.queries)
        scores = torch.empty((size, _DOCUMENTS), device=self.rounded.device, dtype=self.dtype)
        threshold = torch.full((size, 1), -torch.inf, device=self.rounded.device, dtype=self.dtype)
        found, waiting = [NOTHING], 0
        with torch.inference_mode():
            for start in range(0, len(self.corpus), _DOCUMENTS):
                self._product(self._block(start), scores)
                if start == 0 and self.depth <= min(len(self.corpus), _DOCUMENTS):
                    threshold = self._threshold(scores.topk(self.depth).values[:, -1:].float().cpu().numpy())
                found.append(_reaching(scores, threshold, start))
                waiting += len(found[-1].rows)
                if waiting > wanted // 2:
                    kept, threshold = self._above(joined(found))
                    # So many reach the threshold only where scores are nearly equal.
                    found, waiting = [self._first(kept) if len(kept.rows) > 4 * wanted else kept], 0
        kept, _ = self._above(joined(found))
        return self._first(kept)

    def _block(self, start: int) -> Tensor:
        """Documents from `start` on, rounded; raises the error to what they can cause."""

        rows = torch.from_numpy(np.require(self.corpus[start : start + _DOCUMENTS], None, ["C", "W"])).to(device())
        block = torch.nn.functional.normalize(rows.float()).to(self.dtype) if self.cosine else rows.to(self.dtype)
        longest = float(block.norm(dim=1).max()) / (1 - self.unit)
        self.error = np.maximum(self.error, (self.share * (longest * (1 + self.unit))).numpy()[:, None])
        return block

    def _product(self, block: Tensor, scores: Tensor) -> None:
        """Into `scores`, whose columns beyond the block become -inf."""

        if len(block) == scores.shape[1]:
            torch.mm(self.rounded, block.T, out=scores)
        else:
            scores[:, : len(block)] = self.rounded @ block.T
            scores[:, len(block) :] = -torch.inf

    def _threshold(self, floor: np.ndarray) -> Tensor:
        """The least rounded score (Q, 1) of a document that may be as good as those with rounded scores of at least
        `floor`."""

        lowest = floor - 2 * self.error - self.unit * np.abs(floor)
        lowest = np.where(np.isfinite(floor), lowest - 2 * self.unit * np.abs(lowest), -np.inf)
        # Rounding keeps the order, so what was not below before is not below after it.
        return torch.from_numpy(lowest.astype(np.float32)).to(self.rounded)

    def _above(self, found: Shortlist) -> tuple[Shortlist, Tensor]:
        """Those that may still be among the first, and the threshold that says so."""
        threshold = self._threshold(floors(found, len(self.queries), self.depth))
        return found.where(found.scores >= threshold.float().cpu().numpy()[found.queries, 0]), threshold

    def _first(self, found: Shortlist) -> Shortlist:
        """The first `depth` of each query by scores in float32."""
        found = found.where(np.lexsort((found.rows, found.queries)))
        bounds = np.searchsorted(found.queries, np.arange(len(self.queries) + 1))
        scores = [NOTHING.scores]
        for query, (begin, end) in zip(self.queries, pairwise(bounds), strict=True):
            documents = self.corpus[found.rows[begin:end]].astype(np.float32, copy=False)
            # Unlike a product of matrices, this sums each row alike, wherever it stands.
            scores.append(np.einsum("nd,d->n", _unit(documents) if self.cosine else documents, query))
        return first(found._replace(scores=np.concatenate(scores)), len(self.queries), self.ranks, self.depth)


def _unit(rows: np.ndarray) -> np.ndarray:
    """Divided by their lengths (n, D); zeros stay."""
    lengths = np.sqrt((rows * rows).sum(1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, np.float32(1e-12)), dtype=np.float32)


def _reaching(scores: torch.Tensor, threshold: torch.Tensor, start: int) -> Shortlist:
    """Every score that is at least its query's threshold; the -inf of missing documents are none."""
    groups = scores.view(len(scores), _GROUP, -1)
    query, group = (groups.amax(1) >= threshold).nonzero(as_tuple=True)
    values = groups[query, :, group]
    at, place = (values >= threshold[query]).nonzero(as_tuple=True)
    columns = query[at], start + place * groups.shape[2] + group[at], values[at, place].float()
    found = Shortlist(*(column.cpu().numpy() for column in columns))
    return found if np.isfinite(found.scores).all() else found.where(found.scores > -np.inf)
