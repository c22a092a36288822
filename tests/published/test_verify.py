"""Verification finds every kind of tampering and nothing in an honest folder."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from harness.evaluation.metrics.per_query_file import read_scores, write_scores
from harness.labelling.labels.run_labels import packed
from harness.published import verify as module
from harness.published.provenance import Provenance
from harness.published.result_folder import FORMER_PROVENANCE, LABELS, PROVENANCE, publish
from harness.published.verify import verify
from harness.retrieval.run import Run
from tests.leaderboard.runs import QRELS, make_card, make_run, put


def _swap_run(folder: Path) -> None:
    Run(folder.name, make_run(0.9, 5).scores).write(folder / "run.trec.gz")


def _rename_run(folder: Path) -> None:
    Run("other", Run.read(folder / "run.trec.gz").scores).write(folder / "run.trec.gz")


def _better_values(folder: Path) -> None:
    scores = read_scores(folder / "metrics.parquet")
    write_scores(folder / "metrics.parquet", {name: dict.fromkeys(values, 1.0) for name, values in scores.items()})


def _fewer_queries(folder: Path) -> None:
    scores = read_scores(folder / "metrics.parquet")
    write_scores(folder / "metrics.parquet", {name: dict(list(values.items())[5:]) for name, values in scores.items()})


def _better_mean(folder: Path) -> None:
    card = (folder / "card.yaml").read_text(encoding="utf-8")
    before, mark, after = card.partition("    nDCG@10: ")
    (folder / "card.yaml").write_text(f"{before}{mark}0.99\n{after.partition(chr(10))[2]}", encoding="utf-8")


def _rename_folder(folder: Path) -> None:
    folder.rename(folder.with_name("other"))


def _truncate(folder: Path) -> None:
    data = (folder / "run.trec.gz").read_bytes()
    (folder / "run.trec.gz").write_bytes(data[: len(data) // 2])


def _no_card(folder: Path) -> None:
    (folder / "card.yaml").unlink()


def test_an_honest_folder_has_no_problems(tmp_path: Path) -> None:
    assert verify(put(tmp_path, make_card("a"), make_run(0.5, missing=2)), QRELS) == []


@pytest.mark.parametrize(
    ("tamper", "names"),
    [
        (_swap_run, ["hash", "value", "mean"]),
        (_rename_run, ["name", "hash"]),
        (_better_values, ["hash", "value"]),
        (_fewer_queries, ["hash", "queries"]),
        (_better_mean, ["mean"]),
        (_rename_folder, ["name"]),
        (_truncate, ["unreadable"]),
        (_no_card, ["unreadable"]),
    ],
)
def test_tampering_is_named(tmp_path: Path, tamper: object, names: list[str]) -> None:
    folder = put(tmp_path, make_card("a"), make_run(0.2, 1))
    tamper(folder)
    problems = verify(folder if folder.exists() else folder.with_name("other"), QRELS)
    assert set(names) <= {problem.partition(":")[0] for problem in problems}, problems


def test_other_judgments_are_noticed(tmp_path: Path) -> None:
    folder = put(tmp_path, make_card("a"), make_run(0.2, 1))
    fewer = dict(list(QRELS.items())[:50])
    assert any(problem.startswith("queries") for problem in verify(folder, fewer))


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path, make_card("a"), make_run(0.2, 1))
    monkeypatch.setattr(module, "LARGEST_RUN", 1 << 20)
    (folder / "run.trec.gz").write_bytes(gzip.compress(b"0" * (8 << 20)))
    (problem,) = verify(folder, QRELS)
    assert "unpacks to more than" in problem


def test_what_lies_beside_the_run_is_held_to_its_hash(tmp_path: Path) -> None:
    card = make_card("a")
    put(tmp_path, card, make_run(0.2, 1))
    folder = tmp_path / "again" / "a"
    publish(
        folder,
        card,
        tmp_path / "run.trec.gz",
        tmp_path / "metrics.parquet",
        lambda: {LABELS: packed([], 0), PROVENANCE: Provenance(stages=()).to_json()},
    )
    assert verify(folder, QRELS) == []
    (folder / LABELS).write_bytes(b"other")
    (folder / PROVENANCE).unlink()
    said = [problem for problem in verify(folder, QRELS) if problem.startswith("hash")]
    assert [PROVENANCE in said[0], LABELS in said[1]] == [True, True]


def test_what_lies_beside_the_run_must_be_readable_whatever_its_hash(tmp_path: Path) -> None:
    files = {LABELS: gzip.compress(b'{"labels": 1, "kept": 1}\n{"query": "q"}\n'), FORMER_PROVENANCE: b'{"stages": 3}'}
    folder = put(tmp_path, make_card("a"), make_run(0.2, 1), beside=files)
    problems = verify(folder, QRELS)
    assert [name in problem for name, problem in zip((FORMER_PROVENANCE, LABELS), problems, strict=True)] == [
        True,
        True,
    ]
    assert [problem.partition(" (")[0] for problem in problems] == [
        "unreadable: how the run was made: stages: must be a list, not 3",
        "unreadable: a label: given: this key is required",
    ]
