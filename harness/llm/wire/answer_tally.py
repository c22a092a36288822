"""What is noticed over the answers of one labelling: that all of them are cut or empty, which only costs money, and
that the server was given longer prompts than it read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.errors import UserError

_FIRST = 20
"""Answers that say something about all."""
_FAR_UNDER = 0.75
"""Share of the fewest tokens that a prompt can have, below which the server must have cut it."""
_SHORT = 100
"""Tokens of a prompt that is too short to be cut, and to be guessed at."""
_ASCII, _OTHER = 7, 4
"""Characters a token of a prompt that was read whole, at most. Below that, words are
counted."""


@dataclass
class AnswerTally:
    """Counts answers, new ones and those out of the ledger; `calls` are those whose prompt's tokens the server told,
    `prompts_cut` those of them with far fewer than the prompt must have."""

    model: str
    calls: int = 0
    prompts_cut: int = 0
    _is_any_usable: bool = False
    _unusable: Counter[str] = field(default_factory=Counter)
    _longest: int = 0

    def add_cached(self, messages: Iterable[tuple[str, str]], input_tokens: int) -> None:
        """An answer out of the ledger, which could be used."""
        self._is_any_usable = True
        self._add_prompt(messages, input_tokens)

    def add(
        self, messages: Iterable[tuple[str, str]], input_tokens: int, output_tokens: int, missing: str | None
    ) -> None:
        """A new answer; `missing` says why it is none. Raises UserError, which names the setting, when the first twenty
        all were cut or empty."""
        self._add_prompt(messages, input_tokens)
        self._is_any_usable |= missing is None
        if self._is_any_usable or missing not in ("truncated", "empty"):
            return
        self._unusable[missing] += 1
        self._longest = max(self._longest, output_tokens)
        if self._unusable.total() >= _FIRST:
            raise self._all_unusable()

    def _add_prompt(self, messages: Iterable[tuple[str, str]], input_tokens: int) -> None:
        if input_tokens > 0:
            self.calls += 1
            texts = [content for _, content in messages]
            # Counting words takes longer than all else about an answer, so it is done where it may matter.
            if sum(len(text) // (_ASCII if text.isascii() else _OTHER) for text in texts) > input_tokens:
                least = sum(map(_fewest_tokens, texts))
                self.prompts_cut += least >= _SHORT and input_tokens < _FAR_UNDER * least

    def _all_unusable(self) -> UserError:
        cut, empty = self._unusable["truncated"], self._unusable["empty"]
        return UserError(
            f"none of the first {self._unusable.total()} answers of '{self.model}' can be used: {cut} were cut by the "
            f"token limit, {empty} were empty",
            key="max_tokens",
            remedy=f"the longest took {self._longest} tokens: raise max_tokens (a model that thinks needs thousands), "
            "or have it think less (reasoning_effort, or what its server calls that)",
        )


def _fewest_tokens(text: str) -> int:
    """Tokens that no usual tokenizer goes below: one a word, and one for every three characters of scripts without
    spaces."""
    words = len(text.split())
    return words if text.isascii() else max(words, (len(text.encode("utf-8", "surrogatepass")) - len(text)) // 6)
