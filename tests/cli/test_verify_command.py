"""``harness verify`` as it is typed: collections found by their content, each folder judged on its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.labelling.labels.run_labels import LabelRow, packed
from harness.published.card_costs import Verdicts
from harness.published.provenance import Provenance
from harness.published.result_folder import ANSWERS, LABELS, PROVENANCE
from harness.published.verify import verify
from harness.retrieval.run import Run
from tests.calling import call
from tests.collections.folders import write_folder
from tests.leaderboard.hostile import rehash
from tests.leaderboard.runs import QRELS, make_card, make_run, put


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A board of two rows on a folder collection."""
    monkeypatch.chdir(tmp_path)
    write_folder(
        tmp_path / "mine",
        documents=[{"_id": f"d{number}", "text": f"text {number}"} for number in range(4)],
        queries=[{"_id": f"q{number}", "text": f"text {number}"} for number in range(4)],
        qrels={"test": [(f"q{number}", f"d{number}", 1) for number in range(4)]},
    )
    for name, shift in (("a", 0), ("b", 1)):
        scores = {f"q{number}": {f"d{(number + shift) % 4}": 1.0, "d0": 0.5} for number in range(4)}
        Run(name, scores).write(f"{name}.trec")
    assert call(monkeypatch, "add", "a.trec", "b.trec", "--collection", "mine") == 0
    return tmp_path


def verified(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0
) -> dict[str, Any]:
    capsys.readouterr()
    folders = sorted(str(path) for path in Path("results/mine").iterdir())
    assert call(monkeypatch, "verify", *folders, *words, "--json") == code
    return json.loads(capsys.readouterr().out)


def test_a_folder_collection_is_found_by_its_content(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [row["problems"] for row in verified(monkeypatch, capsys)["results"]] == [[], []]
    found = verified(monkeypatch, capsys, "--workspace", "elsewhere", code=1)
    assert all("'mine' is not at hand" in row["problems"][0] for row in found["results"])
    assert all("--collection SPEC" in row["problems"][0] for row in found["results"])
    found = verified(monkeypatch, capsys, "--workspace", "elsewhere", "--collection", "mine")
    assert [row["problems"] for row in found["results"]] == [[], []]


def test_each_folder_is_judged_on_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bad = Path("results/mine/0-first")
    bad.mkdir()
    (bad / "card.yaml").write_text("[" * 1000)
    (Path("results/mine") / "1-empty").mkdir()
    (Path("results/mine") / "2-file").write_text("no folder")
    found = verified(monkeypatch, capsys, code=1)
    assert [bool(row["problems"]) for row in found["results"]] == [True, True, True, False, False]
    assert call(monkeypatch, "verify", *map(str, sorted(Path("results/mine").glob("[ab]-*")))) == 0


def test_another_collection_than_the_cards_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("mine", "other")
    Path("other/qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td0\t1\n")
    found = verified(monkeypatch, capsys, "--collection", "other", code=1)
    assert all(any("another content hash" in line for line in row["problems"]) for row in found["results"])
    capsys.readouterr()
    assert call(monkeypatch, "verify", "results", "--collection", "mine", "--qrels", "mine/qrels/test.tsv") == 2


def test_who_verified_is_noted_beside_the_collections_and_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (bad,) = Path("results/mine").glob("b-*")
    card = yaml.safe_load((bad / "card.yaml").read_text())
    card["outcome"]["metrics"]["RR@10"] = 0.9
    (bad / "card.yaml").write_text(yaml.safe_dump(card))
    before = {path: path.read_bytes() for path in Path("results/mine").rglob("*") if path.is_file()}
    found = verified(monkeypatch, capsys, "--record", "A. Name", code=1)
    assert [Path(path).relative_to(Path.cwd()) for path in found["recorded"]] == [Path("results/verified.json")]
    assert {path: path.read_bytes() for path in Path("results/mine").rglob("*") if path.is_file()} == before
    (place,) = json.loads(Path("results/verified.json").read_text())["runs"]
    assert place.startswith("mine/a-")
    assert call(monkeypatch, "board", "--json") == 0
    board = json.loads(capsys.readouterr().out)
    assert [row["mark"] for row in board["rows"]] == ["verified"] and board["rows"][0]["verified"][0].startswith("A. N")
    assert [item["mark"] for item in board["skipped"]] == ["not as its card says"]


def _labelled(results: Path, told: Verdicts, verdicts: list[str], labels: int) -> Path:
    rows = [
        LabelRow(query=f"q{place}", given=("d1", "d2"), order=(1,), verdict=one) for place, one in enumerate(verdicts)
    ]
    return put(results, make_card("a", labels=told), make_run(0.2, 1), beside={LABELS: packed(rows, labels)})


@pytest.mark.parametrize(
    ("told", "verdicts", "labels", "problems"),
    [
        (Verdicts(ok=2, partial=1), ["ok", "ok", "partial"], 3, []),
        (Verdicts(ok=20, partial=10), ["ok", "ok", "partial"], 30, []),
        (Verdicts(ok=3), ["ok", "ok", "partial"], 3, ["3 are ok", "0 are partial"]),
        (Verdicts(ok=30), ["ok", "ok", "partial"], 30, ["0 are partial"]),
        (Verdicts(ok=2), ["ok", "ok", "partial"], 3, ["the card tells of 2 labels"]),
        (None, ["ok"], 1, ["the card tells of none"]),
    ],
)
def test_label_rates_are_those_of_the_labels(
    tmp_path: Path, told: Verdicts | None, verdicts: list[str], labels: int, problems: list[str]
) -> None:
    found = verify(_labelled(tmp_path / "labelled", told, verdicts, labels), QRELS)
    assert len(found) == len(problems) and all(part in line for part, line in zip(problems, found, strict=True)), found


def test_seconds_are_those_of_the_stages(tmp_path: Path) -> None:
    folder = put(tmp_path / "timed", make_card("a", durations={"search": 3.0, "train": 9.0}), make_run(0.2, 1))
    (problem,) = verify(folder, QRELS)
    assert problem == "costs: 0.0 seconds on the card, its stages add up to 12.0"
    folder = put(
        tmp_path / "timed", make_card("b"), make_run(0.2, 1), beside={PROVENANCE: Provenance(stages=()).to_json()}
    )
    assert verify(folder, QRELS) == []


@pytest.mark.parametrize("content", [b"", b"answers", b"\x1f\x8b\x08\x00", b"PK"])
def test_answers_that_cannot_be_read_are_named(tmp_path: Path, content: bytes) -> None:
    folder = put(tmp_path / "answered", make_card("a"), make_run(0.2, 1), beside={ANSWERS: content})
    rehash(folder)
    (problem,) = verify(folder, QRELS)
    assert problem.startswith("unreadable") and ANSWERS in problem
