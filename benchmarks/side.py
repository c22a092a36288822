"""``python -m benchmarks.side CASE SIDE FOLDER OUT [--quick]``: one side of one case, in this process alone.

SIDE is ``prepare``, ``ours``, or the number of a peer. What was measured goes to the file
OUT, since libraries write to the standard output.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.case import Case, cases
from benchmarks.timing import peak_mb


def main() -> None:
    name, side, folder, out, *rest = sys.argv[1:]
    case = cases()[name]("--quick" in rest, Path(folder))
    if side == "prepare":
        case.prepare()
        return
    Path(out).write_text(json.dumps(measured(case, side)), encoding="utf-8")


def measured(case: Case, side: str) -> dict[str, object]:
    """What `Timed` holds, with the peak of this process where no child did the work."""
    found = case.ours() if side == "ours" else case.peers()[int(side)].run()
    return {**asdict(found), "peak_mb": found.peak_mb or peak_mb()}


if __name__ == "__main__":
    main()
