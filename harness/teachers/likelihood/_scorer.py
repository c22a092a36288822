"""Log-likelihoods of many queries after many passages: every passage goes through the model once, its queries see what
it left."""

from __future__ import annotations

import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from harness._lazy import lazy
from harness.teachers.likelihood._packed_attention import Memory, PackedPassages, PackedQueries, QueryGroup, Span
from harness.teachers.likelihood._pairs import PairRequest, ScoreRequest, Tokens

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")

_HEAD = 256
"""Positions whose next-token probabilities are computed at once."""
_SOFTMAX = 8
"""Of these, how many at once in float32: they must fit a cache."""


class ScoreFailure(NamedTuple):
    """Why a pair has no score: a reason as labels have it, and the words of a server."""

    reason: str
    message: str


class Scored(NamedTuple):
    """A score for every pair of a request, and the seconds it took; `failed` are the places of pairs that have none,
    with the reason and words of whoever should have scored them."""

    scores: list[float]
    seconds: float
    failed: Mapping[int, ScoreFailure] = MappingProxyType({})


class Scorer(ABC):
    """A causal language model that scores pairs. A score depends on its passage and query only, not on what is scored
    beside it."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._device = model.device

    def run(self, requests: Iterable[ScoreRequest]) -> Iterator[Scored]:
        """The requests' scores, in their order. On a CPU each thread that torch may use takes requests of its own: rows
        are too small to be worth sharing, and so a score does not depend on the number of threads either.
        """
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        pool = ThreadPoolExecutor(threads if self._device.type == "cpu" else 1)
        try:
            yield from pool.map(self._timed, requests)
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)

    def _timed(self, request: ScoreRequest) -> Scored:
        start = time.monotonic()
        return Scored(self.score(*request), time.monotonic() - start)

    @abstractmethod
    def score(self, passages: Sequence[Tokens], pairs: Sequence[PairRequest]) -> list[float]:
        """Sum of the natural logarithms of the probabilities of the query's tokens after the passage's, for every pair.

        Neither may be empty.
        """


class Plain(Scorer):
    """Every pair alone through the model as it is: slow, and right for any causal model."""

    def score(self, passages: Sequence[Tokens], pairs: Sequence[PairRequest]) -> list[float]:
        with torch.inference_mode():
            return [self._one(passages[pair.passage], pair.query) for pair in pairs]

    def _one(self, passage: Tokens, query: Tokens) -> float:
        tokens = torch.tensor([[*passage, *query]], device=self._device)
        logits = self._model(tokens, use_cache=False).logits[0, len(passage) - 1 : -1]
        return float(logits.float().log_softmax(-1).gather(1, tokens[0, len(passage) :, None]).sum())


class Packed(Scorer):
    """Packs texts into rows of `row` tokens; none may have more. For models that were loaded with the attention that
    does it, and whose logits are their output embeddings' alone; _trial.py finds out.
    """

    def __init__(self, model: Any, row: int) -> None:
        super().__init__(model)
        self._row = row

    def score(self, passages: Sequence[Tokens], pairs: Sequence[PairRequest]) -> list[float]:
        with torch.inference_mode():
            return self._scores(passages, pairs)

    def _scores(self, passages: Sequence[Tokens], pairs: Sequence[PairRequest]) -> list[float]:
        memories, last = self._read(passages)
        order = sorted(range(len(pairs)), key=lambda number: (pairs[number].passage, len(pairs[number].query)))
        places = torch.tensor([pair.passage for pair in pairs], device=self._device)
        firsts = self._log_probabilities(last, places, [pair.query[0] for pair in pairs])
        parts = [[first] for first in firsts]
        longer = [number for number in order if len(pairs[number].query) > 1]
        for row in packed([len(pairs[number].query) - 1 for number in longer], self._row):
            numbers = [longer[place] for place in row]
            for number, found in zip(
                numbers, self._continue([pairs[number] for number in numbers], passages, memories), strict=True
            ):
                parts[number] += found
        return [sum(part) for part in parts]

    def _read(self, passages: Sequence[Tokens]) -> tuple[list[Memory], Tensor]:
        """What every passage leaves behind, and the hidden states (passages, width) of their last tokens."""
        memories: list[Memory] = [[] for _ in passages]
        last: dict[int, Tensor] = {}
        for row in fitted([len(passage) for passage in passages], self._row):
            texts = [passages[number] for number in row]
            bounds = _bounds(texts)
            spans = [Span(start, stop, memories[number]) for number, (start, stop) in zip(row, bounds, strict=True)]
            hidden = self._hidden(texts, [range(len(text)) for text in texts], PackedPassages(spans))
            last.update((number, hidden[stop - 1]) for number, (_, stop) in zip(row, bounds, strict=True))
        return memories, torch.stack([last[number] for number in range(len(passages))])

    def _continue(
        self, pairs: Sequence[PairRequest], passages: Sequence[Tokens], memories: Sequence[Memory]
    ) -> list[list[float]]:
        """Log-probabilities of every pair's second and later tokens. Queries of one length after one passage must stand
        together."""
        texts = [pair.query[:-1] for pair in pairs]
        groups, start = [], 0
        for (passage, length), members in itertools.groupby(
            pairs, key=lambda pair: (pair.passage, len(pair.query) - 1)
        ):
            groups.append(QueryGroup(start, len(list(members)), length, memories[passage]))
            start += groups[-1].queries * length
        starts = [len(passages[pair.passage]) for pair in pairs]
        positions = [range(start, start + len(text)) for start, text in zip(starts, texts, strict=True)]
        hidden = self._hidden(texts, positions, PackedQueries(groups))
        targets = [token for pair in pairs for token in pair.query[1:]]
        found = self._log_probabilities(hidden, torch.arange(len(targets), device=self._device), targets)
        return [found[start:stop] for start, stop in _bounds(texts)]

    def _hidden(
        self, texts: Sequence[Tokens], positions: Sequence[range], layout: PackedPassages | PackedQueries
    ) -> Tensor:
        """Hidden states (row, width) of the texts packed into one row of fixed length."""
        rows = torch.zeros(2, 1, self._row, dtype=torch.int64)
        for row, parts in zip(rows, (texts, positions), strict=True):
            flat = torch.tensor(list(itertools.chain.from_iterable(parts)))
            row[0, : len(flat)] = flat
        tokens, places = rows.to(self._device)
        return self._model.base_model(tokens, position_ids=places, use_cache=False, layout=layout).last_hidden_state[0]  # type: ignore[no-any-return]

    def _log_probabilities(self, hidden: Tensor, places: Tensor, tokens: Sequence[int]) -> list[float]:
        """Of every token at the next position after its place, a row of `hidden` (rows, width)."""
        wanted = torch.tensor(tokens, device=self._device)
        out = torch.empty(len(tokens), device=self._device)
        used = int(places.max()) + 1
        for start in range(0, used, _HEAD):
            rows = hidden[start : min(start + _HEAD, used)]
            logits = self._model.get_output_embeddings()(torch.nn.functional.pad(rows, (0, 0, 0, _HEAD - len(rows))))
            for first in range(0, len(rows), _SOFTMAX):
                here = ((places >= start + first) & (places < start + first + _SOFTMAX)).nonzero().squeeze(-1)
                table = logits[first : first + _SOFTMAX].float().log_softmax(-1)
                out[here] = table[places[here] - start - first, wanted[here]]
        return out.tolist()


def packed(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Numbers of the texts in rows of at most `room` tokens, in their order."""
    rows: list[list[int]] = []
    left = 0
    for number, length in enumerate(lengths):
        if length > left or not rows:
            rows.append([])
            left = room
        rows[-1].append(number)
        left -= length
    return rows


def fitted(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Numbers of the texts in rows of at most `room` tokens, in few rows: the longest first, each into the first row
    with room."""
    rows: list[list[int]] = []
    left: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        place = next((place for place, free in enumerate(left) if free >= lengths[number]), len(rows))
        if place == len(rows):
            rows.append([])
            left.append(room)
        rows[place].append(number)
        left[place] -= lengths[number]
    return rows


def _bounds(texts: Sequence[Tokens]) -> list[tuple[int, int]]:
    stops = list(itertools.accumulate(map(len, texts)))
    return list(zip([0, *stops[:-1]], stops, strict=True))
