"""Fusion in a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from baselines.references.fusion import FusionSettings
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.workspace import Workspace
from harness.retrieval.run import Run
from tests.baselines.small import Swept


@pytest.mark.models
def test_a_sweep_may_fuse_by_scores(all_methods: Swept, tmp_path: Path) -> None:
    file, workspace = all_methods.home / "sweep.yaml", all_methods.home / "workspace"
    overrides = ["methods=[{method: fusion, by: wsum, norm: max, lexical_weight: 0.25}]"]
    outcome = Workspace(workspace).plan(file, overrides).run(tmp_path / "results", observer=NullObserver())
    found = Run.read(outcome.published[0])
    lexical, dense = (
        Run.read(all_methods.store.read(all_methods.cell(label).run)).scores for label in ("bm25", "zero-shot")
    )
    for query, scores in found.scores.items():
        one, two = lexical.get(query, {}), dense[query]
        best = max(one.values(), default=1.0), max(two.values())
        by_hand = {
            id: one.get(id, 0) / best[0] * 0.25 + two.get(id, 0) / best[1] * 0.75 for id in one.keys() | two.keys()
        }
        assert scores == pytest.approx(by_hand, rel=1e-5)


def test_unknown_fusions_are_refused_and_reciprocal_ranks_stay_the_default() -> None:
    assert FusionSettings().by == "rrf" and FusionSettings().k == 60
    for wrong in ({"by": "condorcet"}, {"norm": "minmax"}, {"lexical_weight": 1.5}, {"phi": 1.0}):
        with pytest.raises(ValidationError):
            FusionSettings.model_validate(wrong)
