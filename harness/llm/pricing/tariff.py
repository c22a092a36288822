"""The most that a request may cost, and what an answer did cost where its server does not count."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import UserError
from harness.labelling.prompting.prompter import Request
from harness.llm.backend import Completion

_MESSAGE, _WHOLE = 16, 64
"""Tokens that a chat's form may add to each message, and to the whole."""
_RUNNING = b"abcdefghijklmnopqrstuvwxyz \n"
_LETTERS = 0.56
"""Tokens of a byte of random lower-case letters (measured: 0.56 with a vocabulary of 49,000); English has 0.26."""
_PROSE, _DENSE = 0.12, 0.25
"""Share of other bytes up to which a text is prose (English has 0.06 to 0.1), and from which on every byte counts."""


@dataclass(frozen=True)
class Tariff:
    """The prices of one teacher. `usd` of (input, output) tokens; `room` gives the most tokens of an answer; `count`
    tokens of texts, and whether exactly; `known` is false where nobody knows the price."""

    model: str
    usd: Callable[[int, int], float]
    room: Callable[[Request], int]
    count: Callable[[Sequence[str]], tuple[list[int], bool]]
    known: bool
    dearest: Callable[[int, int], float] | None = None
    """USD that so many tokens may cost, where that is more than `usd`."""

    def check(self, left: float) -> None:
        """Raises UserError where a limit is to be kept and the price is not known."""
        if left < math.inf and not self.known:
            raise UserError(
                f"the price of '{self.model}' is not known, so the cost limit cannot be kept",
                remedy="give the teacher a price: {input: USD, output: USD} per million tokens (0 and 0 where it costs "
                "nothing), or leave the limit out",
            )

    @property
    def _dearest(self) -> Callable[[int, int], float]:
        return self.dearest or self.usd

    def most(self, request: Request) -> float:
        """USD, whatever the tokenizer."""
        return self._dearest(_most_tokens(request), self.room(request))

    def overrun(self, request: Request, completion: Completion) -> float:
        """USD of the tokens beyond those that `most` counts."""
        if completion.output_tokens <= self.room(request) and completion.input_tokens <= _surely(request):
            return 0.0
        more_in = max(0, completion.input_tokens - _most_tokens(request))
        more_out = max(0, completion.output_tokens - self.room(request))
        return self._dearest(more_in, more_out) if more_in or more_out else 0.0

    def settled(self, request: Request, completion: Completion) -> Completion:
        """The completion with tokens and USD, estimated where its server does not count."""
        if not completion.estimated or completion.finish == "unreadable":
            # What is no answer may cost as much as was reserved, or nothing.
            return completion
        (counted,), _ = self.count(["\n".join(content for _, content in request.messages)])
        tokens = completion.input_tokens or counted
        return replace(completion, input_tokens=tokens, usd=self.usd(tokens, completion.output_tokens))


def answers_in(extra: Mapping[str, Any]) -> int:
    """How many answers to one request the parameters `extra` ask for; each is billed."""
    return max([1, *(value for name in ("n", "best_of") if isinstance(value := extra.get(name), int))])


def _surely(request: Request) -> float:
    """Never more than `_most_tokens`, without looking at the text."""
    return _LETTERS * sum(len(content) for _, content in request.messages)


def _most_tokens(request: Request) -> int:
    """An upper bound, whatever the tokenizer: of digits, tables, base64 and other scripts as many as there are bytes;
    of running text in lower case a good half, which is what random letters take."""
    data = b"".join(content.encode("utf-8", "surrogatepass") for _, content in request.messages)
    dense = len(data.translate(None, _RUNNING)) / max(1, len(data))
    share = _LETTERS + (1 - _LETTERS) * min(1.0, max(0.0, (dense - _PROSE) / (_DENSE - _PROSE)))
    return math.ceil(share * len(data)) + _MESSAGE * len(request.messages) + _WHOLE
