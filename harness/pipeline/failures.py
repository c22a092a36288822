"""Why stages failed the last time: reason and traceback, kept in the workspace until they succeed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.masking import masked
from harness.stage import Stage


@dataclass(frozen=True)
class Failures:
    """A file a failed stage in `folder`."""

    folder: Path

    def file(self, key: str) -> Path:
        """Where the failure of the stage with that key is or would be."""
        return self.folder / f"{key}.json"

    def note(self, stage: Stage, reason: str, trace: str) -> None:
        """Keep a stage's reason and traceback until it succeeds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        record = {"kind": stage.kind, "label": stage.label, "reason": reason, "traceback": trace}
        self.file(stage.key).write_text(json.dumps(record, indent=1), encoding="utf-8")

    def forget(self, stage: Stage) -> None:
        """Drop what was kept of an earlier failure."""
        self.file(stage.key).unlink(missing_ok=True)

    def reason(self, stage: Stage) -> str | None:
        """Why the stage failed last time, if it did."""
        file = self.file(stage.key)
        # Older ones were written as the provider said them.
        return masked(str(json.loads(file.read_text(encoding="utf-8"))["reason"])) if file.is_file() else None
