"""What litellm knows: which provider a model name means, how it is reached, which parameters it takes."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.errors import UserError
from harness.llm.backend import FatalProviderError
from harness.llm.wire.chat_address import azure_deployment
from harness.masking import masked, register_secret

OPENAI = "https://api.openai.com/v1"
_SERVERS = {
    "hosted_vllm": "HOSTED_VLLM_API_BASE",
    "lm_studio": "LM_STUDIO_API_BASE",
    "litellm_proxy": "LITELLM_PROXY_API_BASE",
}
"""Providers that are servers of somebody's own, with the variable that says where; `api_base` does as well."""
_EITHER = frozenset({"gemini"})
"""Providers that take a key under either of two names."""


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


def route(model: str, api_base: str | None) -> Route:
    """Raises UserError when litellm knows no provider for the name, FatalProviderError when the key is not in the
    environment."""
    library = litellm()
    name, provider, found, base = _provider(model, api_base)
    if provider == "openai":
        found = found or os.environ.get("OPENAI_API_KEY")
        base = base or os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE") or OPENAI
    if not found and api_base is None:
        _check_environment(model, provider, base)
    if provider == "azure":
        found = found or os.environ.get("AZURE_API_KEY")
        base = _azure_address(name, api_base)
    elif provider != "openai" and provider not in library.openai_compatible_providers:
        base = None
    key = (found or "none").strip()
    register_secret(key)
    return Route(name, provider, base, key)


def provider_of(model: str, api_base: str | None) -> tuple[str, str]:
    """The model's name without its provider, and the provider. Raises UserError when litellm knows none."""
    return _provider(model, api_base)[:2]


def _provider(model: str, api_base: str | None) -> tuple[str, str, str | None, str | None]:
    """The model's name, its provider, and key and address where litellm finds them."""
    try:
        found: tuple[str, str, str | None, str | None] = litellm().get_llm_provider(model, api_base=api_base)
    except Exception as error:
        raise UserError(
            f"litellm knows no provider for the model '{model}'",
            key="model",
            remedy="write PROVIDER/MODEL, e.g. openai/gpt-4.1-mini",
        ) from error
    return found


def _check_environment(model: str, provider: str, base: str | None) -> None:
    """Raises FatalProviderError when a variable that the provider needs is not set."""
    missing = list(litellm().validate_environment(model)["missing_keys"])
    if base is not None:
        missing = [name for name in missing if not name.endswith("_API_BASE")]
    if not missing and base is None and provider in _SERVERS and not os.environ.get(_SERVERS[provider]):
        missing = [_SERVERS[provider]]
    if missing:
        joint = " or " if provider in _EITHER else " and "
        raise FatalProviderError(
            f"the model '{model}' needs {joint.join(missing)} in the environment", remedy=f"export {missing[-1]}=..."
        )


def _azure_address(deployment: str, api_base: str | None) -> str | None:
    """Where the deployment is asked directly: at an address that says more than the host, which litellm's client cannot
    use; None where that client is to ask."""
    address = api_base or os.environ.get("AZURE_API_BASE") or ""
    if "?" not in address and "/openai/" not in address:
        return None
    return azure_deployment(address, deployment, os.environ.get("AZURE_API_VERSION"))


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
