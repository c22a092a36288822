"""Which part of a request a server refuses, out of its own words.

Servers name it in many forms: OpenAI's ``param``, a validator's ``loc``, quotes or bare words in prose. Only what was
sent can be meant, a value that is out of range is the user's to mend, and words about length or content are about the
prompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from harness.masking import masked

SYSTEM = "system"
"""Stands for the system message among the names of parameters."""
ROOM = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")
"""Names of the limit of an answer, which is never left out without being asked to: it is what the cost rests on."""
_ABOUT_PARAMETERS = frozenset({400, 422})
_PROMPT = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many tokens|prompt is too long|reduce the length|"
    r"max_model_len|content[ _](?:filter|management|policy)|responsible ?ai|moderation|safety|usage polic|flagged",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    r"unsupported|n[o']t (?:be |an? )?(?:support|permit|allow|accept|enabl|compatib|available|valid|recogni[sz]|"
    r"used|set|specified|implemented)|does ?n[o']t (?:support|take|accept|exist)|do not support|cannot|can't|"
    r"unrecogni[sz]ed|unknown|unexpected|extra inputs|extra_forbidden|extra fields|forbidden|deprecated|no longer|"
    r"removed|invalid|incompatible|may only be|must be (?:1|unset|omitted|null|empty)\b|\bonly\b|instead|drop_params|"
    r"strictly positive|must alternate",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"too (?:large|big|high|small|low)|at most|at least|less than|greater than|\bbetween\b|exceed|out of range|"
    r"maximum (?:value|allowed|of)|strictly positive|\brange\b|must be (?:an? )?(?:[<>≤≥]|positive|number|int|float|"
    r"str)|valid (?:integer|number|float|string)",
    re.IGNORECASE,
)
_PARAM = re.compile(r"""\\?["']param\\?["']\s*:\s*\\?["']([\w.\[\]]+)""")
_PLACE = re.compile(r"""\\?["']loc\\?["']\s*:\s*[\[(]([^\])]*)[\])]""")
_QUOTED = re.compile(r"""["'`“‘]([A-Za-z_][\w.]*)["'`”’]""")
_INSTEAD = re.compile(
    r"""(?:\buse\b|replaced (?:by|with)|(?:renamed|moved) to|in favou?r of|did you mean|please (?:use|set|pass))"""
    r"""(?: the)?(?: parameter)?\s*:?\s*(["'`“‘\\]*)([A-Za-z][A-Za-z_]+)\1""",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"""system role|role:? ?\W{0,3}system\b|["'`]system["'`]|system (?:message|prompt|instruction)s?|"""
    r"""developer instruction|roles? must alternate|only \W{0,2}user\W{0,2} and \W{0,2}assistant|"""
    r"""messages?\W{0,2}\[?\.?0\]?\W{0,2}\.?role|["']messages["'], ?\d+, ?["']role["']""",
    re.IGNORECASE,
)

_SYNONYMS = {
    "randomseed": "seed",
    "maxoutputtokens": "maxtokens",
    "maxtokenstosample": "maxtokens",
    "thinking": "reasoningeffort",
    "thinkingconfig": "reasoningeffort",
    "reasoning": "reasoningeffort",
}
"""What litellm calls parameters for providers with a protocol of their own, and what we do; without marks."""


class Refusal(NamedTuple):
    """What is refused, and what takes its place: another name, ``user`` or ``developer`` for a system message, or
    nothing."""

    name: str
    successor: str = ""


def refusal(status: int, text: str, sent: Mapping[str, Any], system: bool) -> Refusal | None:
    """What the answer `text` with this HTTP `status` refuses of the parameters `sent` (and of the system message, where
    there is one); None where it refuses something else."""
    if _PROMPT.search(text) or not _REFUSES.search(text):
        return None
    if system and status in (*_ABOUT_PARAMETERS, 500) and _ROLE.search(text):
        successor = _successor(text)
        return Refusal(SYSTEM, "developer" if successor == "developer" else "user")
    if status not in _ABOUT_PARAMETERS:
        return None
    name = next((known for written in _names(text, sent) if (known := _sent(written, sent))), None)
    if name is None or (_RANGE.search(text) and not (name == "temperature" and sent[name] == 0)):
        return None
    return Refusal(name, _taking_its_place(name, text, sent))


def _names(text: str, sent: Mapping[str, Any]) -> Iterator[str]:
    """What may be meant, the surest first."""
    for match in _PARAM.finditer(text):
        yield match[1]
    for match in _PLACE.finditer(text):
        yield from re.findall(r"\w+", match[1])
    # What is to be used instead is no fault.
    complaint = _INSTEAD.sub(" ", text)
    for match in _QUOTED.finditer(complaint):
        yield match[1]
    places = {name: re.search(rf"(?<!\w){_loose(name)}(?!\w)", complaint, re.IGNORECASE) for name in sent}
    found = sorted((match.start(), name) for name, match in places.items() if match)
    yield from (name for _, name in found)
    # Last, since others are refused "when thinking is enabled".
    yield from (word for word in _SYNONYMS if re.search(rf"\b{word}\b", complaint, re.IGNORECASE))


def _loose(name: str) -> str:
    """A pattern of `name` that also holds for ``maxTokens`` and "max tokens"."""
    return r"[_ -]?".join(re.escape(part) for part in name.split("_"))


def _sent(written: str, sent: Mapping[str, Any]) -> str | None:
    """The name in `sent` that `written` (``body.maxTokens``) means."""
    plain = {re.sub(r"[\W_]", "", name).lower(): name for name in sent}
    plain = {other: plain[name] for other, name in _SYNONYMS.items() if name in plain} | plain
    return next((plain[part] for part in reversed(re.sub(r"_", "", written).lower().split(".")) if part in plain), None)


def _successor(text: str) -> str:
    """What is to be used instead. It is sent, kept and shown on cards, so a key that is echoed there is no name."""
    text = masked(text)
    return next((match[2] for match in _INSTEAD.finditer(text) if match[1] or "_" in match[2]), "")


def _taking_its_place(name: str, text: str, sent: Mapping[str, Any]) -> str:
    named = _successor(text)
    if name not in ROOM:
        return named if "_" in named and named not in sent and named != name and named not in ROOM else ""
    if named != name and (named in ROOM or named.startswith("max")):
        return named
    return ROOM[1] if name == ROOM[0] else ROOM[0]
