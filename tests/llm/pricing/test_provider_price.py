"""Prices by the model's name."""

from __future__ import annotations

import pytest

from harness.llm.pricing.provider_price import PriceSettings, ProviderPrice, price
from harness.llm.pricing.token_usage import CacheWrites


def test_a_model_at_ones_own_address_has_the_price_of_its_name() -> None:
    known = price("openai/gpt-4.1-mini", False, False)
    assert known is not None and known.input > 0
    assert price("openai/gpt-4.1-mini", False, True) == known
    assert price("litellm_proxy/gpt-4.1-mini", False, True) == known
    assert price("openai/openai/gpt-4.1-mini", False, True) == known


@pytest.mark.parametrize("model", ["openai/tgi", "openai/brand-new-model", "hosted_vllm/my-model", "ollama/llama3"])
def test_no_price_is_not_known_rather_than_nothing(model: str) -> None:
    assert price(model, False, True) is None


def test_long_prompts_cost_what_the_provider_takes_for_them() -> None:
    long = ProviderPrice(2.0, 2.0, 2.0)
    priced = ProviderPrice(1.0, 0.5, 1.0, ((1000, long),))
    assert priced.usd(1000, 500, 10) == 500 + 250 + 10
    assert priced.usd(1001, 500, 10) == 2 * 1011
    gemini = price("gemini/gemini-2.5-pro", False, False)
    assert gemini is not None and gemini.usd(250_000, 0, 0) > 1.2 * gemini.usd(200_000, 0, 0)


def test_what_is_written_into_a_cache_costs_what_the_map_says() -> None:
    claude, half = (price("anthropic/claude-sonnet-4-5", batch, False) for batch in (False, True))
    assert claude is not None and half is not None and claude.written and claude.hour
    assert claude.hour > claude.written > claude.input > claude.cached
    some = CacheWrites(900, 400)
    usd = 100 * claude.input + 500 * claude.written + 400 * claude.hour + 20 * claude.output
    assert claude.usd(1000, 0, 20, some) == pytest.approx(usd)
    assert half.usd(1000, 0, 20, some) == pytest.approx(usd / 2)
    long = ProviderPrice(2.0, 0.0, 2.0, written=5.0)
    priced = ProviderPrice(1.0, 0.5, 1.0, ((1000, long),), written=3.0)
    assert priced.usd(1000, 100, 10, CacheWrites(500)) == 400 + 50 + 1500 + 10
    assert priced.usd(2000, 0, 0, CacheWrites(2000, 2000)) == 10_000


def test_without_a_price_of_its_own_it_costs_what_other_input_does() -> None:
    own = PriceSettings(input=1.0, output=2.0).per_token
    assert own.usd(1000, 0, 10, CacheWrites(900, 900)) == own.usd(1000, 0, 10)
    dear = PriceSettings(input=1.0, output=2.0, written=1.25).per_token
    assert dear.usd(1000, 0, 0, CacheWrites(1000)) == pytest.approx(1.25e-3)


def test_the_most_a_call_may_cost_counts_its_prompt_as_written() -> None:
    claude = price("anthropic/claude-sonnet-4-5", False, False)
    assert claude is not None and claude.written and claude.hour
    assert claude.most(1000, 0, {}) == pytest.approx(1000 * claude.written)
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert claude.most(1000, 0, hour) == pytest.approx(1000 * claude.hour)
    cheap = ProviderPrice(2.0, 1.0, 0.0, written=1.0)
    assert cheap.most(10, 0, {}) == 20, "where writing is cheaper, it may still not be written"
