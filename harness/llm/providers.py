"""What litellm knows: which provider a model name means, how it is reached, which parameters it takes, what it
costs."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.errors import UserError
from harness.llm.backend import FatalProviderError
from harness.masking import masked, register_secret

OPENAI = "https://api.openai.com/v1"


@cache
def litellm() -> Any:
    """The library, with the price map that it was released with (nothing is fetched), quiet. Importing it takes
    seconds."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm as library

    library.telemetry = False
    library.suppress_debug_info = True
    library.drop_params = True
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return library


@dataclass(frozen=True)
class Route:
    """How a model is reached. `url` is None where only litellm knows the provider's protocol; `key` is never shown."""

    name: str
    provider: str
    url: str | None
    key: str

    def __repr__(self) -> str:
        return masked(f"Route({self.provider}/{self.name} at {self.url})")


@dataclass(frozen=True)
class ProviderPrice:
    """USD per token."""

    input: float
    cached: float
    output: float

    def usd(self, input_tokens: int, cached_tokens: int, output_tokens: int) -> float:
        """The price of a call; `cached_tokens` are among the `input_tokens`."""
        return (input_tokens - cached_tokens) * self.input + cached_tokens * self.cached + output_tokens * self.output


def route(model: str, api_base: str | None) -> Route:
    """Raises UserError when litellm knows no provider for the name, FatalProviderError when the key is not in the
    environment."""
    library = litellm()
    try:
        name, provider, found, base = library.get_llm_provider(model, api_base=api_base)
    except Exception as error:
        raise UserError(
            f"litellm knows no provider for the model '{model}'",
            key="model",
            remedy="write PROVIDER/MODEL, e.g. openai/gpt-4.1-mini",
        ) from error
    if provider == "openai":
        found = found or os.environ.get("OPENAI_API_KEY")
        base = base or os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE") or OPENAI
    if not found and api_base is None and (missing := library.validate_environment(model)["missing_keys"]):
        raise FatalProviderError(
            f"the model '{model}' needs {' and '.join(missing)} in the environment", remedy=f"export {missing[0]}=..."
        )
    speaks_openai = provider == "openai" or provider in library.openai_compatible_providers
    key = (found or "none").strip()
    register_secret(key)
    return Route(name, provider, base if speaks_openai else None, key)


def parameters(model: str, provider: str, wanted: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request beside model and messages, in the provider's own terms; what it does not take is left
    out."""
    found: dict[str, Any] = litellm().utils.get_optional_params(
        model=model,
        custom_llm_provider=provider,
        drop_params=True,
        **{key: value for key, value in wanted.items() if value is not None},
    )
    inner = found.pop("extra_body", None) or {}
    return {key: value for key, value in found.items() if key not in ("stream", "max_retries")} | inner | dict(extra)


def price(model: str, batch: bool) -> ProviderPrice | None:
    """From litellm's map; None where it knows nothing. In a provider's batch API most take half."""
    try:
        info = litellm().get_model_info(model)
    except Exception:
        return None
    if info.get("input_cost_per_token") is None:
        return None
    kind = "_batches" if batch else ""
    half = 0.5 if batch else 1.0
    dear, out = info["input_cost_per_token"], info.get("output_cost_per_token") or 0.0
    cached = info.get("cache_read_input_token_cost")
    return ProviderPrice(
        input=info.get(f"input_cost_per_token{kind}") or dear * half,
        cached=(dear if cached is None else cached) * half,
        output=info.get(f"output_cost_per_token{kind}") or out * half,
    )
