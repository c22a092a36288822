"""docs/sweep-files.md says what the code does, and the sweep files of the repository load."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config.cells import expand
from harness.config.load import load_sweep
from harness.config.method_entries import MethodKeys
from harness.config.parts import OWN, EvaluationSettings, Losses, Students
from harness.config.schema import sweep_schema
from harness.config.sweep_file import SweepFile
from harness.config.tuning import Tune
from harness.config.value_types import BudgetRange
from tests.config.conftest import Load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sweep-files.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
TEACHERS = (ROOT / "docs" / "teachers.md").read_text(encoding="utf-8")
BASE = "collections: semanlink\nmethods: [bm25]\n"


def test_every_key_is_on_the_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE)
    assert sorted(rows) == sorted(SweepFile.model_fields)


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("students", set(Students.model_fields)),
        ("candidates", OWN),
        ("losses", set(Losses.model_fields)),
        ("methods", set(MethodKeys.model_fields)),
        ("evaluate", set(EvaluationSettings.model_fields)),
        ("tune", set(Tune.model_fields)),
        ("budgets, resamples, seeds", {field.alias or name for name, field in BudgetRange.model_fields.items()}),
    ],
)
def test_every_key_of_a_section_is_in_it(section: str, keys: set[str]) -> None:
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()


def test_defaults_on_the_page_are_those_of_the_code(load: Load) -> None:
    sweep = load(BASE)
    assert f"| `max_length` | {sweep.max_length} |" in PAGE
    assert f"| test, {', '.join(sweep.evaluate.metrics)} |" in PAGE
    assert f"Default {sweep.candidates.pool}." in PAGE
    assert f"Default `{{static: {sweep.students.retriever.static}}}`" in PAGE  # type: ignore[union-attr]


def _teachers(block: str) -> str:
    """A block of the teachers page as the teachers of a sweep; one about asking becomes a teacher's."""
    if block.startswith("teachers:"):
        return block
    lines = [
        "teachers:",
        "  one:",
        "    kind: litellm",
        "    model: openai/gpt-4.1-mini",
        *(f"    {line}" for line in block.splitlines()),
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "block", re.findall(r"^```yaml\n((?:teachers|ask):.*?)^```", TEACHERS, flags=re.DOTALL | re.MULTILINE)
)
def test_every_teacher_on_the_page_loads(tmp_path: Path, block: str) -> None:
    (tmp_path / "sweep.yaml").write_text(BASE + _teachers(block), encoding="utf-8")
    assert load_sweep(tmp_path / "sweep.yaml", []).teachers


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_loads(tmp_path: Path, block: str) -> None:
    missing = [line for line in BASE.splitlines() if "extends:" not in block and f"{line.split(':')[0]}:" not in block]
    for name, text in {"sweep": "\n".join([block, *missing]), "budget": BASE}.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert load_sweep(tmp_path / "sweep.yaml").methods


CONFIGS = sorted(
    file for file in (ROOT / "configs").glob("*.yaml") if "hypotheses" not in yaml.safe_load(file.read_text("utf-8"))
)
"""Without files of claims, which name sweep files."""


@pytest.fixture(scope="module")
def validator() -> Any:
    return pytest.importorskip("jsonschema").Draft202012Validator(sweep_schema())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_sweep_files_of_the_repository_load(path: Path, validator: Any) -> None:
    assert expand(load_sweep(path)).cells
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))] == []
