"""Tokens of an answer as its server counts them, in every provider's spelling; an estimate where it does not count."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_MOST = 10**12
"""No answer has more tokens: what says so is no count."""
_INPUT = ("prompt_tokens", "input_tokens", "promptTokenCount", "prompt_token_count")
_OUTPUT = ("completion_tokens", "output_tokens", "candidatesTokenCount", "candidates_token_count")
_TOTAL = ("total_tokens", "totalTokenCount", "total_token_count")
_BESIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Counted apart from `input_tokens` by Anthropic's own protocol."""


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
    if not asked and total and given and total > given:
        asked = total - given
    if not given and total and asked and total > asked:
        given = total - asked
    counted = bool(asked) and (given is not None and (given > 0 or not (answer or thoughts)))
    if given is None or not (given or not (answer or thoughts)):
        given = estimate(answer) + (estimate(thoughts) if thoughts else 0)
    elif asked:
        asked, given, reasoning = _besides(counts, asked, given, total, cached or 0, reasoning)
    asked = max(asked or 0, cached or 0) if asked else 0
    return TokenUsage(asked, min(cached or 0, asked), given, reasoning, not counted)


def estimate(text: str) -> int:
    """Tokens of a text, roughly: four bytes each."""
    return len(text.encode("utf-8", "surrogatepass")) // 4 + 1


def _besides(
    counts: Mapping[str, Any], asked: int, given: int, total: int | None, cached: int, reasoning: int | None
) -> tuple[int, int, int | None]:
    """Input, output and reasoning with what stands beside the two counts: tokens out of a cache, and thinking."""
    gap = total - asked - given if total is not None else 0
    if gap > 0 and gap == cached and not reasoning:
        return asked + cached, given, reasoning
    if cached > asked:
        asked += cached
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
