"""What a plan says of the disk is what lies there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.pipeline.upkeep.conftest import Finished


def _bytes(folders: Iterable[Path]) -> int:
    return sum(file.lstat().st_size for folder in folders for file in folder.rglob("*") if not file.is_dir())


def test_bytes_of_workspace_sweep_and_trainings_are_counted_once(finished: Finished) -> None:
    home = finished.home
    (home / "workspace" / "cache").mkdir(exist_ok=True)
    (home / "workspace" / "cache" / "link").symlink_to(home)
    (home / "workspace" / "store" / "stray.txt").write_text("seven b")
    plan = finished.plan()

    told = plan.report()["disk"]

    places = {stage: home / "workspace" / "store" / stage.kind / stage.key for stage in plan.stages.values()}
    assert told["workspace_bytes"] == _bytes([home / "workspace"])
    assert told["sweep_bytes"] == _bytes(places.values()) > 0
    assert told["trained_bytes"] == _bytes(place for stage, place in places.items() if stage.trains) > 0
