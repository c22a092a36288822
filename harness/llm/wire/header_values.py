"""Headers of one's own: their values may name variables of the environment, and hold no secrets themselves."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from harness.llm.backend import FatalProviderError
from harness.masking import register_secret
from harness.text import plain

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CREDENTIALS = re.compile(
    r"(?i)\A(?:x-)?(?:api[-_ ]?key|authorization|(?:access|session|auth)[-_ ]?token|password|secret|client[-_ ]?secret"
    r"|(?:\w+[-_])?(?:secret[-_ ]?)?(?:api|access)[-_ ]?key|\w+[-_](?:access|session|auth)[-_]?token)\Z"
)
"""Names that hold a secret and nothing else."""
_SECRET = re.compile(
    r"\A(?:(?i:bearer|basic|token)\s+)?(?:"
    r"sk[-_][A-Za-z0-9_\-.]{8,}|(?:gsk|hf|r8|fw|ghp|gho|ghs|github_pat|pk_live|rk_live)_[A-Za-z0-9_]{12,}"
    r"|(?:csk|xai|nvapi|pplx|glpat|tvly|xox[abposr])-[A-Za-z0-9_\-]{12,}"
    r"|AIza[A-Za-z0-9_\-]{20,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
    r")\Z|\A(?i:bearer|basic)\s+\S{6,}\Z",
    re.DOTALL,
)
"""What providers' keys and tokens look like."""
_LONG = re.compile(r"\A[A-Za-z0-9+/_\-]{32,}={0,2}\Z")
_DIGEST = re.compile(r"\A(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z", re.IGNORECASE)
"""Commits, sha256 and UUIDs, which name things."""


_HEADER = re.compile(r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def fault_in(values: Mapping[str, Any], *, of_headers: bool) -> str | None:
    """What is wrong with further parameters or headers of a request: a secret among them, or what no header can be."""
    for name, value in values.items() if of_headers else ():
        if not _HEADER.match(name):
            return f"'{plain(name)}' is no name of a header: letters, digits and hyphens"
        if _CONTROL.search(value):
            return f"the value of '{name}' has a line break or another control character, which no header can hold"
    if (secret := secret_in(values)) is None:
        return None
    how = "write ${NAME} for a variable" if of_headers else "it goes into the environment"
    return f"the value of '{secret}' looks like a secret; keys come from the environment only: {how}"


def secret_in(value: Any, name: str = "") -> str | None:
    """The name of the first entry in nested mappings and lists whose value has the shape of a secret; None where there
    is none."""
    if isinstance(value, Mapping):
        return next((found for key, item in value.items() if (found := secret_in(item, str(key)))), None)
    if isinstance(value, list | tuple):
        return next((found for item in value if (found := secret_in(item, name))), None)
    if not isinstance(value, str):
        return None
    rest = _VARIABLE.sub("", value).strip()
    is_credential = rest == value.strip() != "" and _CREDENTIALS.match(name) is not None
    return (name or "a value") if is_credential or is_secret(rest) else None


def is_secret(text: str) -> bool:
    """Whether `text` has the shape of a key or a token: a provider's prefix, or 32 and more letters and digits by
    chance."""
    if _SECRET.match(text):
        return True
    if not _LONG.match(text) or _DIGEST.match(text):
        return False
    digits = sum(letter.isdigit() for letter in text)
    # Names in words have few digits and long runs of letters; keys change between the two all the time.
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(text))
    return digits >= len(text) // 8 and changes >= len(text) // 5


def header_values(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` with every ``${NAME}`` replaced by that variable. Raises FatalProviderError for one that is not
    set."""
    return {name: _VARIABLE.sub(_value, text) for name, text in headers.items()}


def _value(match: re.Match[str]) -> str:
    value = os.environ.get(match[1])
    if not value:
        raise FatalProviderError(
            f"a header takes its value from {match[1]}, which is not in the environment",
            key="headers",
            remedy=f"export {match[1]}=...",
        )
    # Its name need not tell that it is a secret.
    register_secret(value.strip())
    return value.strip()
