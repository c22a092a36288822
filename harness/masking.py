"""Secrets in text that is shown or stored: providers echo keys, addresses hold passwords, tracebacks repeat both."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

MASK = "(secret)"
_NAMES = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASS|CREDENTIALS?|AUTH)S?_?\d*$", re.IGNORECASE
)
"""How names of environment variables end whose values are secrets, unless they are paths."""
_LEAST = 8
"""Characters of the shortest value that is taken for a secret: shorter ones are words."""
_PLACEHOLDERS = frozenset({"lm-studio", "not-needed", "no-key-required", "sk-no-key-required", "placeholder"})
"""What people set where a server asks for no key."""
_SHAPES = (
    (re.compile(r"(?<=://)[^\s/?#@'\"<>]+(?=@)"), MASK),
    (re.compile(r"\b(Bearer|Basic)\s+(?=[\w.~+/-]*[\d=])[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b(?:sk|pk|rk)-[\w-]{16,}|\bAIza[\w-]{30,}|\b(?:hf|gsk|xai|pplx)[_-]\w{20,}"), MASK),
    (re.compile(r"([?&](?:api[_-]?key|key|token|access_token|sig)=)[^\s&'\"<>]{6,}", re.IGNORECASE), rf"\1{MASK}"),
)
"""What a secret looks like where nobody knows it: in an address, in a header, by the beginning of a key."""
_registered: set[str] = set()


def register_secret(value: str) -> None:
    """Have `value` masked from now on: for what comes from elsewhere than an environment variable with a telling
    name. Words too short to be told from others, and placeholders, are not."""
    if len(value) >= _LEAST and value.lower() not in _PLACEHOLDERS:
        _registered.add(value)


def register_address(url: str) -> None:
    """Have the user's name and password in `url` masked from now on, as ``user:password`` or in a header."""
    found = urlsplit(url)
    if found.password is None:
        return
    user, password = unquote(found.username or ""), unquote(found.password)
    register_secret(password)
    register_secret(f"{user}:{password}")
    register_secret(f"{found.username or ''}:{found.password}")


class Mask:
    """Replaces the secrets that are known now. Made once for many texts; `masked` does it for one."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        found = os.environ if environment is None else environment
        named = {value.strip() for name, value in found.items() if _NAMES.search(name) and value[:1] not in ("/", ".")}
        known = {one for one in named if len(one) >= _LEAST and one.lower() not in _PLACEHOLDERS} | _registered
        self._secrets = sorted({form for one in known for form in _forms(one)}, key=len, reverse=True)

    def known(self, text: str) -> str:
        """`text` without the secrets that are known by their value: for answers, which may hold anything else."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text

    def __call__(self, text: str) -> str:
        """`text` without secrets known by value or by shape: for errors and what else is shown to people."""
        text = self.known(text)
        for shape, mask in _SHAPES:
            text = shape.sub(mask, text)
        return text


def masked(text: str) -> str:
    """`text` without the secrets of the environment and of addresses, and without what looks like one."""
    return Mask()(text)


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, escaped for an address or JSON, or in base64 as headers have it."""
    encoded = base64.b64encode(secret.encode("utf-8", "surrogateescape")).decode()
    return {secret, quote(secret, safe=""), encoded, secret.encode("unicode_escape").decode().replace('"', '\\"')}
