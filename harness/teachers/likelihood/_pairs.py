"""The distinct pairs of a passage and a query that some tasks hold, as a language model's tokens, with the key of
each."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from harness.labelling.labels.teacher import Task
from harness.labelling.prompting.templates import Prompt
from harness.ledger.calls import call_key

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Tokens = tuple[int, ...]

Pair = tuple[int, int]
"""Numbers of a passage and a query."""

_ROW = 512
"""Tokens of a packed row: so many fill the arithmetic units of a CPU and stay in its caches."""


class PairRequest(NamedTuple):
    """A query to score after a passage, by the passage's number in a list."""

    passage: int
    query: Tokens


class ScoreRequest(NamedTuple):
    """Passages, and queries to score after them."""

    passages: list[Tokens]
    pairs: list[PairRequest]


@dataclass(frozen=True)
class TextPairs:
    """What a likelihood teacher is asked. Texts that come to equal tokens, also by being cut, are one passage or one
    query."""

    passages: list[Tokens]
    """With the prompt around them, up to where the query begins."""
    queries: list[Tokens]
    by_task: list[list[Pair]]
    """A pair for every candidate of a task, in their order; none when the task's query is empty."""
    keys: dict[Pair, str]
    """The ledger's key of every distinct pair, by first appearance."""

    def tokens(self, pair: Pair) -> int:
        """Tokens that a model reads for a pair on its own."""
        return len(self.passages[pair[0]]) + len(self.queries[pair[1]])

    def chunks(self, tokens: int) -> Iterator[list[Pair]]:
        """All pairs, by passage, in chunks of passages with at most so many tokens together; the same for the same
        tasks."""
        grouped: dict[int, list[Pair]] = {}
        for pair in self.keys:
            grouped.setdefault(pair[0], []).append(pair)
        chunk: list[Pair] = []
        left = tokens
        for passage, pairs in grouped.items():
            if chunk and len(self.passages[passage]) > left:
                yield chunk
                chunk, left = [], tokens
            chunk += pairs
            left -= len(self.passages[passage])
        yield chunk

    def request(self, pairs: Sequence[Pair]) -> ScoreRequest:
        """The distinct passages of `pairs`, and every pair as a query after one of them."""
        numbers = {passage: number for number, passage in enumerate(dict.fromkeys(passage for passage, _ in pairs))}
        asked = [PairRequest(numbers[passage], self.queries[query]) for passage, query in pairs]
        return ScoreRequest([self.passages[passage] for passage in numbers], asked)


@dataclass(frozen=True)
class PairTokens:
    """How texts become tokens: the model's tokenizer, the prompt, and how many tokens of a passage and of a query
    count.

    `reader` stands for whatever turns tokens into scores.
    """

    tokenizer: Tokenizer
    prompt: Prompt
    passage_limit: int
    query_limit: int
    reader: str

    def pairs(self, tasks: Sequence[Task]) -> TextPairs:
        """The pairs of `tasks`."""
        passages = self._passages(candidate.text for task in tasks for candidate in task.candidates)
        queries = {
            text: tuple(tokens[: self.query_limit])
            for text, tokens in self._encoded(task.text for task in tasks).items()
        }
        passage_numbers, query_numbers = _numbers(passages.values()), _numbers(queries.values())
        by_task = [
            [
                (passage_numbers[passages[shown.text]], query_numbers[queries[task.text]])
                for shown in task.candidates
                if queries[task.text]
            ]
            for task in tasks
        ]
        return TextPairs(
            list(passage_numbers),
            list(query_numbers),
            by_task,
            self._keys(list(passage_numbers), list(query_numbers), by_task),
        )

    def pair_text(self, tokens: Tokens) -> str:
        """Tokens as text again."""
        return self.tokenizer.decode(tokens, skip_special_tokens=False)

    @cached_property
    def row(self) -> int:
        """Tokens of a packed row that has room for any passage and any query. It depends on the limits, never on the
        texts."""
        longest = max(len(self._around[0]) + self.passage_limit + len(self._around[1]), self.query_limit)
        return max(_ROW, -(-longest // 64) * 64)

    @cached_property
    def _around(self) -> tuple[list[int], list[int]]:
        # Spaces go to the word that follows them, as tokenizers have it; so the literals lose theirs at the end.
        (before, _), (between, _), *_ = self.prompt.pieces()
        head = self.tokenizer.encode(before.rstrip(), add_special_tokens=True).ids
        return head, self.tokenizer.encode(between.rstrip(), add_special_tokens=False).ids

    def _passages(self, texts: Iterable[str]) -> dict[str, Tokens]:
        head, tail = self._around
        return {text: (*head, *tokens[: self.passage_limit], *tail) for text, tokens in self._encoded(texts).items()}

    def _encoded(self, texts: Iterable[str]) -> dict[str, list[int]]:
        distinct = list(dict.fromkeys(texts))
        words = (text.strip() for text in distinct)
        found = self.tokenizer.encode_batch_fast(
            [f" {text}" if text else "" for text in words], add_special_tokens=False
        )
        return {text: encoding.ids for text, encoding in zip(distinct, found, strict=True)}

    def _keys(
        self, passages: Sequence[Tokens], queries: Sequence[Tokens], by_task: Iterable[Iterable[Pair]]
    ) -> dict[Pair, str]:
        passage_marks, query_marks = [_mark(tokens) for tokens in passages], [_mark(tokens) for tokens in queries]
        distinct = dict.fromkeys(pair for pairs in by_task for pair in pairs)
        # The length of a row may move a score by its last bits.
        reader = f"{self.reader} {self.row}"
        return {pair: call_key(reader, [passage_marks[pair[0]], query_marks[pair[1]]]) for pair in distinct}


def _numbers(values: Iterable[Tokens]) -> dict[Tokens, int]:
    return {value: number for number, value in enumerate(dict.fromkeys(values))}


def _mark(tokens: Tokens) -> str:
    return hashlib.sha256(array("q", tokens).tobytes()).hexdigest()
