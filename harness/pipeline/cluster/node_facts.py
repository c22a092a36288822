"""What must be the same wherever stages of one sweep run, since it decides what comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from harness.pipeline.run_stage import versions
from harness.shipped import OURS

Facts = Mapping[str, str]


@cache
def node_facts() -> Facts:
    """Of this process: versions of what decides numbers, and a hash of this project's code."""
    found = versions()
    return {**found, "python": ".".join(found["python"].split(".")[:2]), "code": _code_hash()}


def differences(own: Facts, other: Facts) -> list[str]:
    """In words, where `other` is not as it should be, which is `own`; "torch 2.9.0 (not 2.13.0)"."""
    return [
        f"{name} {other.get(name, 'absent')} (not {own.get(name, 'absent')})"
        for name in sorted({*own, *other})
        if own.get(name) != other.get(name)
    ]


def _code_hash() -> str:
    lines = sorted(
        f"{package}/{file.relative_to(folder).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for package in OURS
        for folder in _folders(package)
        for file in folder.rglob("*.py")
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _folders(package: str) -> list[Path]:
    spec = find_spec(package)
    return [Path(one) for one in (spec.submodule_search_locations or ())] if spec is not None else []
