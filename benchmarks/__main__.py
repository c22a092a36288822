"""``python -m benchmarks [--quick] [--json FILE]``: one table of ratios; above 1 ours is faster."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.cases import cases
from harness.pipeline.work import versions


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of the same work")
    parser.add_argument("--json", type=Path, help="write the ratios there too")
    options = parser.parse_args()
    found = list(cases(options.quick))
    table = Table("what", "work", "peer")
    for title in ("ours, s", "peer, s", "ratio"):
        table.add_column(title, justify="right")
    for row in found:
        table.add_row(row.name, row.work, row.peer, f"{row.ours_seconds:.3f}", f"{row.peer_seconds:.3f}", f"{row.ratio:.2f}")
    Console().print(table)
    if options.json:
        ratios = [{**asdict(row), "ratio": row.ratio} for row in found]
        options.json.write_text(json.dumps({"versions": versions(), "ratios": ratios}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
