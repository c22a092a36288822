"""How a run was made: curves of any length become small files, strangers' files do no harm."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.published.provenance import POINTS, Provenance, StageProvenance, curve, read_provenance
from harness.published.result_folder import FORMER_PROVENANCE, PROVENANCE


def stage(**changes: Any) -> StageProvenance:
    """A stage."""
    base = {
        "kind": "ranker",
        "label": "cross-encoder",
        "key": "ab" * 32,
        "seconds": 3.5,
        "peak_memory_mb": 700.0,
        "cached": True,
    }
    return StageProvenance(**(base | {"started": datetime(2026, 1, 1, tzinfo=UTC)} | changes))


@given(st.lists(st.floats(0, 10), min_size=1, max_size=1_000))
def test_a_point_is_the_mean_of_its_window(losses: list[float]) -> None:
    found = curve(range(1, len(losses) + 1), losses, ([], []), len(losses))
    assert len(found.step) == len(found.loss) <= POINTS
    assert found.step[-1] == found.steps == len(losses)
    start = 0
    for step, loss in zip(found.step, found.loss, strict=True):
        window = losses[start:step]
        assert len(window) == found.window or step == len(losses)
        assert loss == pytest.approx(sum(window) / len(window), rel=1e-5)
        start = step


def test_a_loss_that_is_no_number_is_a_gap() -> None:
    found = curve([1, 2, 3], [0.5, math.nan, math.inf], ([3], [0.25]), 3)
    assert (found.loss, found.held_out_step, found.held_out_loss) == ((0.5, None, None), (3,), (0.25,))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = Provenance(
        stages=(stage(curve=curve([1, 2], [0.5, 0.4], ([], []), 2)), stage(kind="evaluate", cached=False))
    )
    (tmp_path / PROVENANCE).write_bytes(made.to_json())
    assert json.loads(made.to_json())["version"] == 2
    assert read_provenance(tmp_path) == made
    assert read_provenance(tmp_path / "elsewhere") is None


def test_what_older_sweeps_wrote_is_read_under_its_name_of_then(tmp_path: Path) -> None:
    made = Provenance(stages=(stage(seconds_standalone=2.0, curve=curve([1, 2], [0.5, 0.4], ([], []), 2)),))
    old = (
        made.model_dump_json(exclude_defaults=True)
        .replace("best_step", "kept")
        .replace("seconds_standalone", "seconds_alone")
    )
    assert '"kept":2' in old and '"seconds_alone":2.0' in old
    for text in (old, old.replace("{", '{"version":1,', 1)):
        (tmp_path / FORMER_PROVENANCE).write_text(text)
        assert read_provenance(tmp_path) == made
    (tmp_path / PROVENANCE).write_bytes(Provenance(stages=()).to_json())
    assert read_provenance(tmp_path) == Provenance(stages=())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        '{"stages": 3}',
        '{"stages": [], "more": 1}',
        '{"stages": [{"kind": "../..", "key": "../../x"}]}',
        "NaN",
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / PROVENANCE).write_text(text)
    with pytest.raises(UserError):
        read_provenance(tmp_path)


def test_links_and_huge_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / PROVENANCE).symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="no ordinary file"):
        read_provenance(tmp_path)
    (tmp_path / PROVENANCE).unlink()
    (tmp_path / PROVENANCE).touch()
    os.truncate(tmp_path / PROVENANCE, 3 << 30)
    with pytest.raises(UserError, match="larger than"):
        read_provenance(tmp_path)
