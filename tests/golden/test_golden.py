"""Nothing that was recorded before the redesign of 0.2 has changed; keys may have been added to JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.golden import record

pytestmark = pytest.mark.models


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(record.ROOT)
    monkeypatch.setenv("HARNESS_PRECISION", "bf16")


def recorded(name: str) -> Any:
    """A file beside this one, read as JSON."""
    return json.loads((record.HERE / name).read_text())


def differences(old: Any, new: Any, place: str = "") -> list[str]:
    """Where `new` does not hold what `old` holds; keys may be added, nothing else. Last digits of numbers are a
    machine's own."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key, value in old.items()
            for line in (differences(value, new[key], f"{place}.{key}") if key in new else [f"{place}.{key} is gone"])
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            line
            for n, (one, two) in enumerate(zip(old, new, strict=True))
            for line in differences(one, two, f"{place}[{n}]")
        ]
    if isinstance(old, float) and isinstance(new, (int, float)):
        return [] if new == pytest.approx(old, rel=1e-9, abs=1e-12) else [f"{place}: {old} is {new}"]
    if isinstance(old, str) and isinstance(new, str):
        # Docstrings stand on other lines at another width.
        old, new = " ".join(old.split()), " ".join(new.split())
    return [] if old == new else [f"{place}: {old!r} is {new!r}"]


def test_no_stage_key_and_no_run_id_changed() -> None:
    keys, kinds = record.keys()

    assert differences(recorded("kinds.json"), kinds) == [], (
        "a stage field that must have another name says the old one: use keyed(...)"
    )
    assert differences(recorded("keys.json"), keys) == []


def test_runs_that_were_published_before_keys_held_numerics_keep_their_ids() -> None:
    planned = recorded("keys.json")["semanlink.yaml"]["runs"]

    assert len(planned) == 49 and all((record.ROOT / "results" / "semanlink" / run).is_dir() for run in planned)


@pytest.mark.parametrize("name", ["board.json", "curves.json", "meta.json"])
def test_commands_print_the_same_json(name: str) -> None:
    assert differences(recorded(name), json.loads(record.printed(record.COMMANDS[name]))) == []


def test_the_csv_of_the_board_has_the_same_columns_and_values() -> None:
    def rows(text: str) -> list[dict[str, Any]]:
        return [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]

    assert (
        differences(rows((record.HERE / "board.csv").read_text()), rows(record.printed(record.COMMANDS["board.csv"])))
        == []
    )


@pytest.mark.parametrize("name", ["board.tex", "board.md"])
def test_the_board_reads_the_same_in_documents(name: str) -> None:
    assert record.printed(record.COMMANDS[name]) == (record.HERE / name).read_text()


def test_plug_ins_say_of_themselves_what_they_said() -> None:
    assert differences(recorded("plugins.json"), record.plugins()) == []


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
