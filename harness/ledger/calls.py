"""One call to a language model: what makes it the same call again, what came back, what it took."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A call that was answered. `usd` is what it cost; `seconds` its latency; `created` seconds since 1970."""

    key: str
    """From `call_key`."""
    model: str
    """The model's name, for people and statistics."""
    request: str
    """What was sent, as JSON."""
    response: str
    """The raw answer."""
    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input: what the provider, or a key/value cache, did not compute anew."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    """Of the output: what the model thought and did not say."""
    usd: float = 0.0
    seconds: float = 0.0
    provider_id: str = ""
    created: float = 0.0
    served: str = ""
    """What the server calls the model that answered; empty where it does not say."""
    fingerprint: str = ""
    """The server's `system_fingerprint`; empty where it does not say."""
    estimated: bool = False
    """Whether tokens and USD are an estimate, since the server did not count."""

    @property
    def cached(self) -> CachedResponse:
        """What the ledger gives back for it."""
        return CachedResponse(
            self.response,
            self.input_tokens,
            self.cached_tokens,
            self.output_tokens,
            self.reasoning_tokens,
            self.usd,
            self.seconds,
        )


MISSES = ("refused", "truncated", "empty", "no answer")
"""Why a call that was paid for brought no answer; ``no answer``: what came cannot be read."""
PAID_TWICE = "paid twice"
"""The kind of a miss that comes with another machine's ledger: the same was asked here, and the answer here is used."""


class Miss(NamedTuple):
    """A call that was paid for and brought no answer. `kind` is one of `MISSES`, or `PAID_TWICE`."""

    kind: str
    call: Call


class Origin(NamedTuple):
    """Where an answer is from, as far as the server said so, and whether its tokens are an estimate."""

    served: str = ""
    fingerprint: str = ""
    estimated: bool = False


class CachedResponse(NamedTuple):
    """What the ledger gives back for a key."""

    response: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usd: float
    seconds: float


class Merged(NamedTuple):
    """What became of calls from another ledger."""

    added: int
    """Calls that were not there."""
    same: int
    """Calls that were there with the same response."""
    conflicts: list[str]
    """Keys that were there with another response, which stays."""


@dataclass(frozen=True)
class Usage:
    """Calls and what they took, added up."""

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0

    @classmethod
    def of(cls, answers: Sequence[Call | CachedResponse]) -> Usage:
        """The sum over `answers`."""
        return cls(len(answers), *map(sum, zip(*map(_counts, answers), strict=True)))

    def __add__(self, other: Usage) -> Usage:
        counted = {name: getattr(self, name) + getattr(other, name) for name in _COUNTED}
        return Usage(self.calls + other.calls, **counted)

    def __sub__(self, other: Usage) -> Usage:
        counted = {name: getattr(self, name) - getattr(other, name) for name in _COUNTED}
        return Usage(self.calls - other.calls, **counted)


_COUNTED = tuple(field.name for field in fields(Usage) if field.name != "calls")
_counts = attrgetter(*_COUNTED)


def call_key(model: str, request: Any, sampling: Any = None, repeat: int = 0) -> str:
    """sha256 in hex over the model's identity, the rendered request, the sampling parameters and the repeat index, all
    plain JSON."""
    text = json.dumps(
        [model, request, sampling, repeat], sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()
