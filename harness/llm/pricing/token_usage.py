"""Tokens of an answer as its server counts them, in every provider's spelling; an estimate where it does not count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

_MOST = 10**12
"""No answer has more tokens: what says so is no count."""
_INPUT = ("prompt_tokens", "input_tokens", "inputTokens", "promptTokenCount", "prompt_token_count")
_OUTPUT = ("completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount", "candidates_token_count")
_TOTAL = ("total_tokens", "totalTokens", "totalTokenCount", "total_token_count")
_BESIDE = (
    *("cache_read_input_tokens", "cache_creation_input_tokens"),
    *("cacheReadInputTokens", "cacheWriteInputTokens"),
)
"""Counted apart from the input by the protocols of Anthropic and Bedrock."""
_FOR_AN_HOUR = "ephemeral_1h_input_tokens"


class CacheWrites(NamedTuple):
    """Input tokens that were written into the provider's prompt cache; `hour` are those of them that stay there for
    longer, which costs more."""

    tokens: int = 0
    hour: int = 0


NOTHING_WRITTEN = CacheWrites()


class Usd(Protocol):
    """USD of a call; cached and written tokens are among those of the input."""

    def __call__(
        self, input_tokens: int, cached_tokens: int, output_tokens: int, written: CacheWrites = NOTHING_WRITTEN, /
    ) -> float: ...


def free(input_tokens: int, cached_tokens: int, output_tokens: int, written: CacheWrites = NOTHING_WRITTEN, /) -> float:
    """The price of a model of one's own."""
    return 0.0


class TokenUsage(NamedTuple):
    """`cached` are among `input`, `reasoning` among `output`; `input` is 0 and `estimated` true where it is not
    counted."""

    input: int
    cached: int
    output: int
    reasoning: int | None
    """None where it is not counted."""
    estimated: bool


def token_usage(usage: Any, answer: str, thoughts: str) -> TokenUsage:
    """Of the `usage` of an answer, whatever it is; `thoughts` are the text of thinking that stands beside `answer`."""
    counts: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
    given, asked, total = (_first(counts, names) for names in (_OUTPUT, _INPUT, _TOTAL))
    cached, reasoning = _named(counts, _is_cached), _named(counts, _is_reasoning)
    if asked is not None and "prompt_tokens" not in counts:
        asked += sum(_tokens(counts.get(name)) or 0 for name in _BESIDE)
    written = cache_writes(usage).tokens
    if not asked and total and given and total > given:
        asked = total - given
    if not given and total and asked and total > asked:
        given = total - asked
    counted = bool(asked) and (given is not None and (given > 0 or not (answer or thoughts)))
    if given is None or not (given or not (answer or thoughts)):
        given = estimate(answer) + (estimate(thoughts) if thoughts else 0)
    elif asked:
        asked, given, reasoning = _besides(counts, asked, given, total, _Cache(cached or 0, written), reasoning)
    asked = max(asked or 0, cached or 0, written) if asked else 0
    return TokenUsage(asked, min(cached or 0, asked), given, reasoning, not counted)


def cache_writes(usage: Any) -> CacheWrites:
    """Of the `usage` of an answer, whatever it is."""
    counts: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
    details = [counts, *(value for value in counts.values() if isinstance(value, Mapping))]
    inside = [
        value for one in details for name, value in one.items() if _is_written(name) and isinstance(value, Mapping)
    ]
    by_time = [{name: _tokens(value) or 0 for name, value in one.items()} for one in inside]
    whole = max((sum(one.values()) for one in by_time), default=0)
    named = (_tokens(value) or 0 for one in details for name, value in one.items() if _is_written(name))
    hour = max((one.get(_FOR_AN_HOUR, 0) for one in by_time), default=0)
    tokens = max(whole, *named, 0)
    return CacheWrites(tokens, min(hour, tokens))


class _Cache(NamedTuple):
    """Tokens that were read out of a prompt cache, and those written into it."""

    read: int
    written: int


def estimate(text: str) -> int:
    """Tokens of a text, roughly: four bytes each."""
    return len(text.encode("utf-8", "surrogatepass")) // 4 + 1


def _besides(
    counts: Mapping[str, Any], asked: int, given: int, total: int | None, cache: _Cache, reasoning: int | None
) -> tuple[int, int, int | None]:
    """Input, output and reasoning with what stands beside the two counts: tokens out of a cache and into it, and
    thinking."""
    gap = total - asked - given if total is not None else 0
    if gap > 0 and gap in (cache.read, cache.written, sum(cache)) and not reasoning:
        return asked + gap, given, reasoning
    asked += sum(tokens for tokens in cache if tokens > asked)
    if reasoning:
        at_top = any(_is_reasoning(name) and _tokens(value) for name, value in counts.items())
        outside = reasoning > given or (gap >= reasoning if total is not None else at_top)
        return asked, given + reasoning if outside else given + max(gap, 0), reasoning
    # What the total counts and nobody names is thinking.
    return asked, given + max(gap, 0), reasoning if gap <= 0 else gap


def _first(counts: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((found for name in names if (found := _tokens(counts.get(name))) is not None), None)


def _named(counts: Mapping[str, Any], wanted: Any) -> int | None:
    """The largest count under a name that is `wanted`, at the top or in details."""
    return max((found for name, found in _flat(counts) if wanted(name)), default=None)


def _flat(counts: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, value in counts.items():
        if isinstance(value, Mapping):
            yield from ((inner, found) for inner, one in value.items() if (found := _tokens(one)) is not None)
        elif (found := _tokens(value)) is not None:
            yield name, found


def _is_cached(name: str) -> bool:
    low = name.lower()
    return "cach" in low and not any(part in low for part in ("creat", "writ", "miss"))


def _is_written(name: str) -> bool:
    low = name.lower()
    return "cach" in low and any(part in low for part in ("creat", "writ"))


def _is_reasoning(name: str) -> bool:
    low = name.lower()
    return any(part in low for part in ("reasoning", "thinking", "thought"))


def _tokens(value: Any) -> int | None:
    """A count of tokens, or None where it is none."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value) if len(value) < 15 else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return math.ceil(value) if 0 <= value <= _MOST else None
