"""What must not change: stage keys and run ids, what commands print as JSON, what plug-ins say of themselves.

``python -m tests.golden.record`` writes the files beside this one anew. They were recorded before the redesign of 0.2;
a difference is a fault unless CHANGELOG names it with its reason. Keys are those of cpu-bf16, in which
the published runs were made.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from harness.catalogue import catalogue, describe
from harness.cli.main import app
from harness.pipeline.graph import closure
from harness.pipeline.publish.card_builder import run_tag
from harness.pipeline.workspace import Workspace
from harness.stage import Stage
from tests.baselines.small import write_collection

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SWEEPS = ("baselines", "budget", "controls", "losses", "minilm", "semanlink", "smoke", "tune", "tune-method", "writing")
"""Files of configs/ that need no download."""
LISTED = ("teachers", "methods", "losses", "collections", "engines", "metrics", "strategies", "prompts")
COMMANDS = {
    "board.json": ["board", "--results", "results", "--collection", "semanlink", "--json"],
    "board.csv": ["board", "--results", "results", "--collection", "semanlink", "--csv"],
    "board.tex": ["board", "--results", "results", "--collection", "semanlink", "--latex"],
    "board.md": ["board", "--results", "results", "--collection", "semanlink", "--markdown"],
    "curves.json": ["curves", "--results", "results", "--collection", "semanlink", "--json"],
    "meta.json": ["meta", "--results", "results", "--json"],
}
EVERY_KIND = {
    "collections": [{"folder": "data"}],
    "students": {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"},
    "candidates": {"engine": "bm25s", "depth": 4, "training_queries": ["train"]},
    "teachers": {
        "tiny": {"kind": "likelihood", "model": "bundled:smollm2-135m", "prompt": "question", "max_passage_tokens": 24},
        "chat": {
            "kind": "litellm",
            "model": "openai/gpt-4.1-mini",
            "ask": {"strategy": "sliding", "window": 4, "step": 2},
        },
        "words": {"kind": "transformers", "model": "bundled:smollm2-135m"},
    },
    "methods": [
        "bm25",
        {
            "method": "intermediate",
            "ranker": {"warmup_queries": 6},
            "retriever_loss": "kl",
            "student_candidates": 0,
            "teachers": ["tiny", "chat"],
        },
        {"method": "emdr2", "teachers": ["tiny"]},
        {"method": "adist", "teachers": ["tiny"]},
        "rocketqa-v2",
        {"method": "gpl", "teachers": ["words"]},
        {
            "method": "direct",
            "retriever_loss": {"name": "sum", "of": ["kl", {"name": "infonce", "weight": 0.1}]},
            "teachers": ["chat"],
        },
    ],
    "budgets": [4, 8],
    "evaluate": {"metrics": ["TokenF1", "EM", "nDCG@10"], "answers": {"reader": "words", "passages": 3}},
}
"""A sweep with short answers and written queries; with `SWEEPS` every kind of stage occurs."""


def planned(sweep: Path, workspace: Path) -> tuple[dict[str, Any], dict[str, Stage]]:
    """Run ids and stage keys (the first 16 digits, by kind) of a sweep file; and its stages."""
    cells = Workspace(workspace).plan(sweep).cells
    stages = closure(cell.evaluate for cell in cells)
    keys: dict[str, list[str]] = {}
    for key, stage in stages.items():
        keys.setdefault(stage.kind, []).append(key[:16])
    return {"runs": [run_tag(cell) for cell in cells], "stages": dict(sorted(keys.items()))}, stages


def keys() -> tuple[dict[str, Any], dict[str, Any]]:
    """Of every sweep file its run ids and keys; and of every kind of stage its version and the names of its fields."""
    found, kinds = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_collection(home / "data")
        (home / "every-kind.yaml").write_text(yaml.safe_dump(EVERY_KIND))
        for file in (*(ROOT / "configs" / f"{name}.yaml" for name in SWEEPS), home / "every-kind.yaml"):
            found[file.name], stages = planned(file, home / "workspace")
            kinds |= {
                stage.kind: {"version": stage.version, "fields": list(stage.fields())} for stage in stages.values()
            }
    return found, dict(sorted(kinds.items()))


def printed(arguments: list[str]) -> str:
    """What a command writes to standard output, run at the root of the repository."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def plugins() -> dict[str, Any]:
    """What `harness list` and `harness show` say of every plug-in of this project."""
    found = {kind: {row["name"]: _plain(describe(kind, row["name"])) for row in catalogue(kind)} for kind in LISTED}
    for described in found.values():
        for row in described.values():
            row.pop("class", None)  # where a class stands may change
    return found


def _plain(value: Any) -> Any:
    return json.loads(
        json.dumps(value, default=lambda one: dataclasses.asdict(one) if dataclasses.is_dataclass(one) else str(one))
    )


def main() -> None:
    os.chdir(ROOT)
    os.environ["HARNESS_PRECISION"] = "bf16"
    found, kinds = keys()
    for name, content in {"keys": found, "kinds": kinds, "plugins": plugins()}.items():
        (HERE / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    for name, arguments in COMMANDS.items():
        (HERE / name).write_text(printed(arguments))


if __name__ == "__main__":
    main()
