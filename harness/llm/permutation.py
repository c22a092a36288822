"""Which tokens may come next when an answer must be a permutation, or one of some choices: the exact language, over any
tokenizer.

A machine reads an answer character by character; a guide carries it over to the tokens of a vocabulary. Nothing but the
standard library is used here, since a copy of this file also runs inside vLLM's server, which may have an environment
of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

State = tuple[frozenset[int], str]
"""What is left to say (identifiers), and what has been begun."""

_REMEMBERED = 4096
"""States whose tokens are remembered: a list of 20 has a million sets of what is left."""


class Machine(Protocol):
    """Reads answers character by character."""

    @property
    def start(self) -> State: ...

    @property
    def alphabet(self) -> frozenset[str]:
        """Every character that an answer can hold."""
        ...

    def step(self, state: State, char: str) -> State | None:
        """The state after one more character; None where no answer goes on so."""
        ...

    def done(self, state: State) -> bool:
        """Whether this is a whole answer."""
        ...


@dataclass(frozen=True)
class Permutation:
    """Answers like ``[2] > [3] > [1]``: each of 1 to `count` once."""

    count: int

    @property
    def start(self) -> State:
        return frozenset(range(1, self.count + 1)), ""

    @property
    def alphabet(self) -> frozenset[str]:
        return frozenset("".join(self._items[self.count > 1].values()))

    @cached_property
    def _items(self) -> tuple[dict[int, str], dict[int, str]]:
        """How every identifier is written: as the first one, and later."""
        first = {number: f"[{number}]" for number in range(1, self.count + 1)}
        return first, {number: f" > {text}" for number, text in first.items()}

    def step(self, state: State, char: str) -> State | None:
        left, begun = state
        begun += char
        items = self._items[len(left) < self.count]
        for number in left:
            if items[number] == begun:
                return left - {number}, ""
        return (left, begun) if any(items[number].startswith(begun) for number in left) else None

    def done(self, state: State) -> bool:
        return not state[0]


@dataclass(frozen=True)
class Choices:
    """Answers that are one of some texts."""

    texts: tuple[str, ...]

    @property
    def start(self) -> State:
        return frozenset(), ""

    @property
    def alphabet(self) -> frozenset[str]:
        return frozenset("".join(self.texts))

    def step(self, state: State, char: str) -> State | None:
        begun = state[1] + char
        return (frozenset(), begun) if any(text.startswith(begun) for text in self.texts) else None

    def done(self, state: State) -> bool:
        return state[1] in self.texts


@dataclass(frozen=True)
class Vocabulary:
    """The text of every token inside a sentence, and the tokens that end an answer."""

    texts: Mapping[int, str]
    ends: frozenset[int]


def vocabulary(tokenizer: Any, ends: Iterable[int]) -> Vocabulary:
    """Of a tokenizer of transformers. Tokens that are no text of their own (special ones, parts of characters) are left
    out."""
    anchor = tokenizer.encode("a", add_special_tokens=False)[-1]
    before = tokenizer.decode([anchor])
    numbers = [number for number in range(len(tokenizer)) if number not in set(tokenizer.all_special_ids)]
    # Decoded after another token, since some tokenizers drop the space that opens a text.
    found = tokenizer.batch_decode([[anchor, number] for number in numbers], clean_up_tokenization_spaces=False)
    texts = {
        number: text[len(before) :] for number, text in zip(numbers, found, strict=True) if text.startswith(before)
    }
    return Vocabulary({number: text for number, text in texts.items() if text}, frozenset(ends))


class Guide:
    """A machine over a vocabulary. Raises ValueError when the vocabulary cannot spell every answer."""

    def __init__(self, machine: Machine, words: Vocabulary) -> None:
        self._machine, self._words = machine, words
        self._texts = {number: text for number, text in words.texts.items() if machine.alphabet.issuperset(text)}
        if missing := sorted(machine.alphabet - set(self._texts.values())):
            raise ValueError(f"the model's vocabulary has no token for {', '.join(map(repr, missing))}")
        self._after = lru_cache(_REMEMBERED)(self._moved)
        self._next = lru_cache(_REMEMBERED)(self._allowed)

    def allowed(self, tokens: Sequence[int]) -> list[int]:
        """The tokens that may follow those answered so far; after an end, or outside the language, only ends. Never
        empty."""
        state: State | None = self._machine.start
        for token in tokens:
            state = self._after(state, token) if state is not None else None
        return self._next(state) if state is not None else sorted(self._words.ends)

    def _moved(self, state: State, token: int) -> State | None:
        found: State | None = state if token in self._texts else None
        for char in self._texts.get(token, ""):
            found = self._machine.step(found, char) if found is not None else None
        return found

    def _allowed(self, state: State) -> list[int]:
        ends = self._words.ends if self._machine.done(state) else frozenset()
        return sorted(ends.union(token for token in self._texts if self._moved(state, token) is not None))
