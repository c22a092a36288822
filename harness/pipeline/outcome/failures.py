"""Why stages failed the last time: reason and traceback, kept in the workspace until they succeed."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.masking import masked
from harness.pipeline.outcome.stage_fault import StageFault


@dataclass(frozen=True)
class Failures:
    """A file a failed stage in `folder`."""

    folder: Path

    def file(self, key: str) -> Path:
        """Where the failure of the stage with that key is or would be."""
        return self.folder / f"{key}.json"

    def note(self, key: str, kind: str, label: str, fault: StageFault) -> None:
        """Keep the fault of what has that key until it succeeds. On a full disk it is only said."""
        record = {"kind": kind, "label": label, **asdict(fault)}
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.file(key).write_text(json.dumps(record, indent=1), encoding="utf-8")

    def forget(self, key: str) -> None:
        """Drop what was kept of an earlier failure."""
        with suppress(OSError):
            self.file(key).unlink(missing_ok=True)

    def traceback(self, key: str) -> str | None:
        """The traceback of the last failure, if there was one."""
        return self._noted(key, "traceback")

    def reason(self, key: str) -> str | None:
        """Why what has that key failed last time, if it did."""
        return self._noted(key, "reason")

    def _noted(self, key: str, field: str) -> str | None:
        try:
            # Older ones were written as the provider said them.
            return masked(str(json.loads(self.file(key).read_text(encoding="utf-8"))[field]))
        except (OSError, ValueError, LookupError):
            return None
