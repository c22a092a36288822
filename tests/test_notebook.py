"""The notebook of docs/notebook.md runs as it stands, and does again without making anything."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.models
def test_the_notebook_runs_from_top_to_bottom_and_a_second_time_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    code = compile("\n".join(blocks(ROOT / "docs" / "notebook.md")), "docs/notebook.md", "exec")
    first: dict[str, Any] = {}
    exec(code, first)

    assert first["result"].summary["cells"] == {"total": 5, "done": 5, "failed": 0, "cached": 0}
    assert first["one"].summary["cells"]["done"] == 1 and first["one"].published[0] in first["result"].published
    assert len(first["frame"]) == 5 and first["frame"]["nDCG@10.low"].notna().all()
    second: dict[str, Any] = {}
    exec(code, second)

    assert second["result"].summary["stages"]["run"] == second["one"].summary["stages"]["run"] == 0
    assert second["frame"].equals(first["frame"])
