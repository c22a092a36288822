"""``python -m benchmarks [--quick] [--only NAME ...] [--json FILE] [--against FILE]``: ours against peers, each side in
a process of its own."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.case import cases
from benchmarks.measure import Row, Runner
from benchmarks.table import as_json, line, rendered
from benchmarks.trend import FALL, fallen


def main() -> None:
    """Exit code 1 when a side failed, or a ratio fell since the run of --against; a missed goal is a result, not a
    failure."""
    known = cases()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of the same work")
    parser.add_argument("--only", nargs="+", choices=known, metavar="NAME", help=f"some of: {', '.join(known)}")
    parser.add_argument("--json", type=Path, help="write the rows there too, with versions and machine")
    parser.add_argument(
        "--against",
        type=Path,
        help=f"what --json wrote earlier: a ratio that fell by more than {FALL:.0%} is a failure",
    )
    options = parser.parse_args()
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - begun:4.0f} s] {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="benchmarks-") as home:
        runner = Runner(Path(home), options.quick, tell)
        rows: list[Row] = []
        for name in options.only or known:
            for row in runner.rows(known[name]):
                tell(line(row))
                rows.append(row)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(rendered(rows))
    console.print("s and MB (peak resident memory of the process): ours / the peer's; a ratio above 1: ours is faster")
    fell = fallen(rows, options.against) if options.against else []
    for text in fell:
        console.print(f"fell: {text}", markup=False, highlight=False)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(_document(rows, options.quick), indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if fell or any(row.failure for row in rows) else 0)


def _document(rows: list[Row], quick: bool) -> dict[str, object]:
    from harness.pipeline.run_stage import versions
    from harness.published.environment import platform

    return {"versions": versions(), "machine": platform(), "quick": quick, "rows": [as_json(row) for row in rows]}


if __name__ == "__main__":
    main()
