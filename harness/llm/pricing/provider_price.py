"""What a provider's model costs: prices a token from litellm's map, with the dearer ones of long prompts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from harness.llm.pricing.token_usage import NOTHING_WRITTEN, CacheWrites
from harness.llm.providers import litellm
from harness.plugins import Settings

_ANYBODYS = frozenset(
    {
        *("", "openai", "custom_openai", "openai_like", "litellm_proxy", "hosted_vllm", "vllm", "azure"),
        *("huggingface", "llamafile", "lm_studio", "xinference"),
    }
)
"""Prefixes that say how a server is spoken to and not whose models it has."""
_LONG = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")


@dataclass(frozen=True)
class ProviderPrice:
    """USD per token. `long` are the prices of calls whose input has more tokens than the number before them, the
    longest first. What is `written` into a prompt cache costs as much as other input where that is None, and for an
    `hour` as much as for a shorter time."""

    input: float
    cached: float
    output: float
    long: tuple[tuple[int, ProviderPrice], ...] = ()
    written: float | None = None
    hour: float | None = None

    def usd(
        self, input_tokens: int, cached_tokens: int, output_tokens: int, written: CacheWrites = NOTHING_WRITTEN
    ) -> float:
        """The price of a call; cached and written tokens are among the `input_tokens`."""
        price = next((dearer for tokens, dearer in self.long if input_tokens > tokens), self)
        plain = max(0, input_tokens - cached_tokens - written.tokens)
        asked = plain * price.input + cached_tokens * price.cached + output_tokens * price.output
        return asked + (written.tokens - written.hour) * price._written + written.hour * price._hour

    def most(self, input_tokens: int, output_tokens: int, extra: Mapping[str, Any]) -> float:
        """The most that a call may cost, whatever becomes of its prompt in a cache; the parameters `extra` may ask that
        it stays there for an hour."""
        written = CacheWrites(input_tokens, input_tokens if "1h" in json.dumps(extra, default=str) else 0)
        return max(self.usd(input_tokens, 0, output_tokens, some) for some in (NOTHING_WRITTEN, written))

    @property
    def _written(self) -> float:
        return self.input if self.written is None else self.written

    @property
    def _hour(self) -> float:
        return self._written if self.hour is None else self.hour


class PriceSettings(Settings):
    """USD per million tokens."""

    input: float = Field(ge=0, description="input tokens")
    output: float = Field(ge=0, description="output tokens")
    cached: float | None = Field(
        None, ge=0, description="input tokens out of the provider's prompt cache; as dear as others when left out"
    )
    written: float | None = Field(
        None, ge=0, description="input tokens written into that cache; as dear as others when left out"
    )

    @property
    def per_token(self) -> ProviderPrice:
        """USD per token."""
        cached = self.input if self.cached is None else self.cached
        written = None if self.written is None else self.written * 1e-6
        return ProviderPrice(self.input * 1e-6, cached * 1e-6, self.output * 1e-6, written=written)


def says_which_model(model: str) -> bool:
    """Whether a name says which model it is, wherever it is served: ``openai/tgi`` does not, ``openai/gpt-4.1-mini``
    and ``hosted_vllm/Qwen/Qwen3-8B`` do."""
    provider, _, name = model.rpartition("/")
    return provider not in _ANYBODYS or price(name, False, True) is not None


def price(model: str, batch: bool, elsewhere: bool) -> ProviderPrice | None:
    """By the model's name; None where it is not known.

    `elsewhere`: the model is reached at an address of the user's own, where ``openai/`` says how it is spoken to and
    the rest of the name what it is. A price of 0 in the map means that nobody wrote one down.
    """
    return next((found for info in _entries(model, elsewhere) if (found := _price(info, batch)) is not None), None)


def _entries(model: str, elsewhere: bool) -> Iterator[Mapping[str, Any]]:
    library = litellm()
    try:
        yield library.get_model_info(model)
    except Exception:
        # litellm raises a plain Exception for a name that is not in its map.
        yield {}
    parts = model.split("/") if elsewhere else []
    for start in range(1, len(parts)):
        yield library.model_cost.get("/".join(parts[start:])) or {}


def _price(info: Mapping[str, Any], batch: bool) -> ProviderPrice | None:
    if not info.get("input_cost_per_token") and not info.get("output_cost_per_token"):
        return None
    limits = sorted((int(match[1]) for key in info if (match := _LONG.fullmatch(key)) and info[key]), reverse=True)
    long = tuple((1000 * limit, _rates(info, f"_above_{limit}k_tokens", batch)) for limit in limits)
    short = _rates(info, "", batch)
    return replace(short, long=long)


def _rates(info: Mapping[str, Any], above: str, batch: bool) -> ProviderPrice:
    """In a provider's batch API most take half."""
    kind, half = ("_batches", 0.5) if batch else ("", 1.0)
    dear = info.get(f"input_cost_per_token{above}") or info.get("input_cost_per_token") or 0.0
    out = info.get(f"output_cost_per_token{above}") or info.get("output_cost_per_token") or 0.0
    # Thinking is not told from speech in all answers, so the dearer of the two counts.
    out = max(out, info.get("output_cost_per_reasoning_token") or 0.0)
    cached = info.get(f"cache_read_input_token_cost{above}") or info.get("cache_read_input_token_cost")
    return ProviderPrice(
        input=info.get(f"input_cost_per_token{above}{kind}") or dear * half,
        cached=(dear if cached is None else cached) * half,
        output=info.get(f"output_cost_per_token{above}{kind}") or out * half,
        written=_writing(info, above, half),
        hour=_writing(info, f"_above_1hr{above}", half) or _writing(info, "_above_1hr", half),
    )


def _writing(info: Mapping[str, Any], which: str, half: float) -> float | None:
    """USD of a token that is written into a prompt cache; None where nobody wrote it down."""
    found = info.get(f"cache_creation_input_token_cost{which}")
    return found * half if found else None
