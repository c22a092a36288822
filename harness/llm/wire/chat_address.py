"""Where a server that speaks the OpenAI protocol takes its questions, from whatever form of its address people have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from harness.errors import UserError
from harness.masking import MASK, masked

_CHAT, _VERSION = "/chat/completions", "/v1"
_OTHER = (
    "/completions",
    "/responses",
    "/embeddings",
    "/models",
    "/messages",
    "/api/chat",
    "/api/generate",
    "/generate",
)
"""Ends of addresses that take something else than chat messages in OpenAI's form."""
_UNVERSIONED = frozenset({"anthropic", "ollama", "ollama_chat"})
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


@dataclass(frozen=True)
class ChatAddress:
    """The addresses of one server. `base` has no query and no slash at its end; `query` starts with ``?`` or is
    empty."""

    base: str
    query: str = ""

    @classmethod
    def of(cls, address: str, key: str = "api_base", is_own_protocol: bool = False) -> ChatAddress:
        """From ``http://HOST/v1``, from the whole path of the chat endpoint, or from the bare host; what stands behind
        ``?`` goes along. Raises UserError, with the right form, for anything else; `key` is the setting's name. With
        `is_own_protocol` the path is the provider's own affair."""
        parts = _parts(address.strip())
        if parts is None:
            likely = f"http://{address.strip().rpartition('//')[2]}"
            right = likely if _parts(likely) is not None and "://" not in address else "http://HOST:PORT/v1"
            raise UserError(
                f"'{_anonymous(address)}' is no address of a server", key=key, remedy=f"write {_anonymous(right)}"
            )
        path = parts.path.rstrip("/")
        if (
            not is_own_protocol
            and not path.endswith(_CHAT)
            and (other := next((end for end in _OTHER if path.endswith(end)), None))
        ):
            right = _written(parts, path.removesuffix(other) + ("" if _VERSION in path else _VERSION))
            raise UserError(
                f"'{_anonymous(address)}' takes no chat messages in OpenAI's form",
                key=key,
                remedy=f'write {key}: "{_anonymous(right)}"',
            )
        query = f"?{parts.query}" if parts.query else ""
        path = path.removesuffix(_CHAT)
        return cls(f"{parts.scheme}://{parts.netloc}{path}", query)

    @property
    def chat(self) -> str:
        """Where questions go."""
        return f"{self.base}{_CHAT}{self.query}"

    @property
    def models(self) -> str:
        """Where the server lists what it serves."""
        return f"{self.base}/models{self.query}"

    @property
    def below_version(self) -> str:
        """The address of a server that takes questions below ``/v1`` and nowhere else, whether or not it was written so
        far."""
        base = self.base if self.base.endswith(_VERSION) else f"{self.base}{_VERSION}"
        return base + self.query

    @property
    def versioned(self) -> ChatAddress | None:
        """The same server's address below ``/v1``, for one that was written without any path; None where it has
        one."""
        return None if urlsplit(self.base).path else ChatAddress(f"{self.base}{_VERSION}", self.query)

    @property
    def is_azure(self) -> bool:
        """Whether it takes its key in a header called ``api-key``."""
        return (urlsplit(self.base).hostname or "").endswith(_AZURE)


def native_address(provider: str, address: str | None) -> str | None:
    """`address` as litellm wants it for a provider with a protocol of its own: without the ``/v1`` that it adds
    itself."""
    if address is None or provider not in _UNVERSIONED:
        return address
    return address.rstrip("/").removesuffix(_VERSION)


def azure_deployment(address: str, deployment: str, version: str | None) -> str:
    """Where Azure takes questions for `deployment`: `address` where it says so itself, otherwise below it. `version` is
    its ``api-version`` unless `address` has one. Raises UserError where nobody says it."""
    found = ChatAddress.of(address)
    whole = "/openai/deployments/" in found.base
    base = found.base if whole or found.base.endswith("/openai/v1") else f"{found.base}/openai/deployments/{deployment}"
    query = found.query or (f"?api-version={version}" if version else "")
    if not query and "/deployments/" in base:
        raise UserError(
            "Azure wants to know the version of its API",
            key="api_base",
            remedy=f'write api_base: "{found.base}?api-version=2024-10-21", or export AZURE_API_VERSION=2024-10-21',
        )
    return base + query


def _parts(address: str) -> SplitResult | None:
    """Of an address of HTTP; None where it is none."""
    try:
        found = urlsplit(address)
        is_whole = bool(found.hostname) and (found.port is None or found.port > 0)
    except ValueError:
        return None
    return found if is_whole and found.scheme in ("http", "https") and not re.search(r"\s", address) else None


def _anonymous(address: str) -> str:
    """An address, right or wrong, without secrets."""
    return re.sub(r"[^\s/:]*:[^\s/@]+@", f"{MASK}@", masked(address))


def _written(parts: SplitResult, path: str) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{path}{query}"
