"""Prices by the model's name."""

from __future__ import annotations

import pytest

from harness.llm.pricing.provider_price import ProviderPrice, price


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
