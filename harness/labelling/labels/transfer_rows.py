"""What stands on the lines of a file of labels, checked as it comes from strangers. All functions raise ValueError and its like."""

from __future__ import annotations

import math
import re
from typing import Any

from harness.labelling.labels.ranking import Ranking
from harness.ledger.calls import Call
from harness.stage import digest

_KEY = re.compile(r"[0-9a-f]{64}")
_TEXTS = ("model", "request", "response", "provider_id")
_TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
_NUMBERS = ("usd", "seconds", "created")
_LISTS = ("verdicts", "reasons", "alone", "here")


def call_of(row: dict[str, Any]) -> Call:
    """A call from its fields."""
    call = Call(**row)
    if len(row) != len(Call._fields):
        raise ValueError(f"fields are missing: {', '.join(sorted(set(Call._fields) - set(row)))}")
    _check_key(call.key)
    for name in _TEXTS:
        _check(isinstance(row[name], str), name, "text")
    for name in _TOKENS:
        _check(type(row[name]) is int and -(1 << 63) <= row[name] < 1 << 63, name, "a number of tokens")
    for name in _NUMBERS:
        _check(_finite(row[name]), name, "a finite number")
    _check(bool(call.response), "response", "an answer: it is empty")
    return call


def head_of(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and summary of a set of labels; the manifest's key is that of its own fields."""
    manifest, summary = row["manifest"], row["summary"]
    _check_key(manifest["key"])
    if manifest["kind"] != "labels" or digest({name: manifest[name] for name in ("kind", "version", "fields")}) != manifest["key"]:
        raise ValueError("the manifest is not that of labels with this key")
    _check(_finite(manifest["seconds"]), "seconds", "a finite number")
    _check(type(summary["queries"]) is int, "queries", "a number")
    for name in _LISTS:
        _check(isinstance(summary[name], dict), name, "an object")
    return manifest, summary


def ranking_of(row: dict[str, Any]) -> Ranking:
    """A ranking from a row of rankings.jsonl."""
    for name in ("ordered", "tail"):
        _check(isinstance(row.get(name, []), list), name, "a list of document ids")
    ranking = Ranking.from_json(row)
    _check(isinstance(ranking.query, str) and isinstance(ranking.raw, str) and isinstance(ranking.reason, str), "query", "text")
    for name, ids in (("ordered", ranking.ranked), ("tail", ranking.unranked)):
        _check(all(isinstance(id, str) for id in ids), name, "a list of document ids")
    _check(ranking.scores is None or (isinstance(ranking.scores, tuple) and all(map(_finite, ranking.scores))), "scores", "numbers")
    return ranking


def _check_key(key: Any) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError(f"a key is 64 hexadecimal digits, not {str(key)[:80]!r}")


def _check(holds: bool, name: str, wanted: str) -> None:
    if not holds:
        raise ValueError(f"'{name}' is not {wanted}")


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
