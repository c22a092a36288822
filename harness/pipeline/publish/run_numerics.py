"""In which numerics the stages behind a run computed, from their manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.pipeline.store import Manifest
from harness.published.card_numerics import NumericsSection
from harness.stage import Stage


def run_numerics(stages: Mapping[str, Stage], manifests: Mapping[str, Manifest]) -> NumericsSection | None:
    """Both by key; None where no model computed, or nothing was written down."""
    computed = [manifests[key] for key, stage in stages.items() if stage.computed_in is not None and key in manifests]
    known = [manifest for manifest in computed if "numerics" in manifest]
    if not known:
        return None
    told = [manifest["numerics"] for manifest in known]
    libraries = dict.fromkeys(name for manifest in known for name in manifest["versions"])
    return NumericsSection(
        classes=_distinct(one["class"] for one in told),
        devices=_distinct(one["device"] for one in told),
        threads=_distinct(manifest["threads"] for manifest in known),
        tf32=_distinct(one["tf32"] for one in told if "tf32" in one),
        versions={name: _distinct(m["versions"][name] for m in known if name in m["versions"]) for name in libraries},
        unrecorded=len(computed) - len(known),
    )


def _distinct(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))
