"""Tokens in every provider's spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.llm.pricing.token_usage import CacheWrites, TokenUsage, cache_writes, estimate, token_usage

KEYS = st.sampled_from(
    ["cache_creation_input_tokens", "cache_creation", "ephemeral_1h_input_tokens", "prompt_tokens", "input_tokens", "x"]
)
OPENAI = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        (OPENAI, (100, 0, 20, None)),
        (OPENAI | {"prompt_tokens_details": {"cached_tokens": 64}}, (100, 64, 20, None)),
        (OPENAI | {"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}, (100, 64, 20, None)),
        (OPENAI | {"cached_tokens": 64}, (100, 64, 20, None)),
        (OPENAI | {"cache_read_input_tokens": 64, "cache_creation_input_tokens": 9}, (100, 64, 20, None)),
        ({"input_tokens": 36, "output_tokens": 20, "cache_read_input_tokens": 64}, (100, 64, 20, None)),
        (
            {"input_tokens": 100, "output_tokens": 20, "input_tokens_details": {"cached_tokens": 64}},
            (100, 64, 20, None),
        ),
        (
            {
                "promptTokenCount": 100,
                "candidatesTokenCount": 20,
                "cachedContentTokenCount": 64,
                "totalTokenCount": 120,
            },
            (100, 64, 20, None),
        ),
        # Thinking among the completion tokens, and beside them.
        (OPENAI | {"completion_tokens_details": {"reasoning_tokens": 15}}, (100, 0, 20, 15)),
        (
            OPENAI | {"completion_tokens_details": {"reasoning_tokens": 500}, "total_tokens": 620},
            (100, 0, 520, 500),
        ),
        (OPENAI | {"reasoning_tokens": 500}, (100, 0, 520, 500)),
        ({"prompt_tokens": 100, "completion_tokens": 20, "reasoning_tokens": 15}, (100, 0, 35, 15)),
        (OPENAI | {"total_tokens": 620}, (100, 0, 520, 500)),
        (
            {"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 30, "totalTokenCount": 150},
            (100, 0, 50, 30),
        ),
        ({"prompt_tokens": "100", "completion_tokens": 20.0}, (100, 0, 20, None)),
        ({"total_tokens": 120, "completion_tokens": 20}, (100, 0, 20, None)),
    ],
)
def test_what_a_provider_counts(usage: dict[str, Any], found: tuple[int, int, int, int | None]) -> None:
    assert token_usage(usage, "[2] > [1]", "") == TokenUsage(*found, False)


@pytest.mark.parametrize(
    "usage",
    [
        *(None, {}, [], "many", 7, {"prompt_tokens": None, "completion_tokens": None}),
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": -1, "completion_tokens": -5},
        {"prompt_tokens": float("nan"), "completion_tokens": float("inf")},
        {"prompt_tokens": True, "completion_tokens": [3]},
        {"prompt_tokens": 10**30, "completion_tokens": "1e9"},
    ],
)
def test_what_is_no_count_is_estimated(usage: Any) -> None:
    found = token_usage(usage, "a" * 400, "b" * 400)
    assert found.estimated and found.output == 2 * estimate("a" * 400) and found.input == 0


def test_one_count_that_is_missing_is_estimated_and_the_other_believed() -> None:
    assert token_usage({"prompt_tokens": 100}, "a" * 39, "")[::4] == (100, True)
    assert token_usage({"completion_tokens": 20}, "a" * 39, "")[2:] == (20, None, True)


values = st.none() | st.integers() | st.floats() | st.text(max_size=4) | st.booleans()
names = st.sampled_from(
    [
        *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "reasoning_tokens", "cached_tokens"),
        *("cache_read_input_tokens", "prompt_tokens_details", "completion_tokens_details", "thoughtsTokenCount"),
    ]
)


@given(st.dictionaries(names, values | st.dictionaries(names, values, max_size=3)) | values, st.text(max_size=9))
def test_whatever_comes_tokens_are_never_negative_and_cached_ones_among_the_input(usage: Any, answer: str) -> None:
    found = token_usage(usage, answer, "")
    assert 0 <= found.cached <= found.input and found.output >= 0 and (found.reasoning or 0) >= 0
    assert found.estimated or found.input > 0
    assert all(count < 1 << 62 for count in found[:3])


@pytest.mark.parametrize(
    ("usage", "asked", "written"),
    [
        ({"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 90}, (100, 0), (90, 0)),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": 200,
                "cache_creation_input_tokens": 90,
                "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 60},
            },
            (300, 200),
            (90, 60),
        ),
        (
            {"inputTokens": 10, "outputTokens": 5, "totalTokens": 115, "cacheWriteInputTokens": 100},
            (110, 0),
            (100, 0),
        ),
        (OPENAI | {"prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 64}}, (100, 10), (64, 0)),
        (OPENAI | {"prompt_tokens_details": {"cache_creation_tokens": 64}}, (100, 0), (64, 0)),
        (
            OPENAI | {"prompt_tokens_details": {"cache_creation": {"ephemeral_1h_input_tokens": 40}}},
            (100, 0),
            (40, 40),
        ),
        (OPENAI | {"total_tokens": 1020, "cache_creation_input_tokens": 900}, (1000, 0), (900, 0)),
        (OPENAI | {"total_tokens": 1070, "cached_tokens": 50, "cache_write_tokens": 900}, (1050, 50), (900, 0)),
        (OPENAI | {"prompt_cache_miss_tokens": 36, "cache_creation_input_tokens": None}, (100, 0), (0, 0)),
        (OPENAI | {"cache_creation_input_tokens": "many", "cache_creation": [1]}, (100, 0), (0, 0)),
    ],
)
def test_what_was_written_into_a_cache(usage: dict[str, Any], asked: tuple[int, int], written: tuple[int, int]) -> None:
    assert cache_writes(usage) == CacheWrites(*written)
    found = token_usage(usage, "[2] > [1]", "")
    assert (found.input, found.cached) == asked and found.output in (5, 20) and not found.estimated


@given(st.recursive(st.integers() | st.text() | st.none() | st.floats(), lambda inner: st.dictionaries(KEYS, inner)))
def test_nothing_that_stands_for_usage_is_an_error(usage: Any) -> None:
    written = cache_writes(usage)
    assert 0 <= written.hour <= written.tokens
    assert token_usage(usage, "x", "").input >= 0
