"""Runs and judgments for other tools: what is written is read again. That ranx reads it:
tests/leaderboard/report/test_ranx_report.py."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from harness.collections.qrels import read_qrels
from harness.errors import UserError
from harness.published.ranx_qrels import is_ranx_qrels, read_ranx_qrels
from harness.published.run_export import export_qrels, export_run
from harness.retrieval.run import Run

RUN = Run("mine", {"q1": {"d1": 2.5, "d é": 1.0, "d3": 1.0}, "q2": {"d1": 0.1}, "q3": {}})
WORDS = Run("mine", {"q1": {"d1": 2.5, "é": 1.0, "d3": 1.0}, "q2": {"d1": 0.5}})
QRELS = {"q1": {"d1": 2, "d3": 0}, "q2": {"d1": 1, "d2": -1}}


@pytest.mark.parametrize("ending", ["json", "lz4", "parquet", "parq"])
def test_ranx_formats_are_read_again_without_name_and_empty_queries(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"some.{ending}"
    export_run(RUN, path)
    found = Run.read(path)
    assert found.name == "some"
    assert {query: dict(one) for query, one in found.scores.items()} == {
        query: {document: pytest.approx(score, abs=1e-6) for document, score in one.items()}
        for query, one in RUN.scores.items()
        if one
    }


@pytest.mark.parametrize("name", ["a.trec", "a.txt", "a.trec.gz"])
def test_trec_runs_are_those_of_run_write(tmp_path: Path, name: str) -> None:
    export_run(WORDS, tmp_path / name)
    WORDS.write(tmp_path / "other.gz" if name.endswith("gz") else tmp_path / "other")
    assert (tmp_path / name).read_bytes() == (tmp_path / ("other.gz" if name.endswith("gz") else "other")).read_bytes()


def test_a_header_stands_before_the_run(tmp_path: Path) -> None:
    export_run(WORDS, tmp_path / "a.trec", "# one\n# two\n")
    export_run(WORDS, tmp_path / "a.trec.gz", "# one\n# two\n")
    text = (tmp_path / "a.trec").read_text(encoding="utf-8")
    assert text.startswith("# one\n# two\nq1 Q0 d1 1 2.5 mine\n")
    assert gzip.decompress((tmp_path / "a.trec.gz").read_bytes()).decode() == text
    assert Run.read(tmp_path / "a.trec") == WORDS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.trec", "a.trec.gz"]
    with pytest.raises(UserError, match="place for metadata"):
        export_run(WORDS, tmp_path / "a.json", "# one\n")


@pytest.mark.parametrize("name", ["a.json", "a.lz4", "a.parquet"])
def test_judgments_in_the_formats_of_ranx(tmp_path: Path, name: str) -> None:
    export_qrels(QRELS, tmp_path / name)
    assert is_ranx_qrels(tmp_path / name)
    assert read_ranx_qrels(tmp_path / name) == QRELS


@pytest.mark.parametrize("name", ["a.trec", "a.txt", "a.tsv", "a.tsv.gz", "a.txt.gz"])
def test_judgments_as_trec_and_beir(tmp_path: Path, name: str) -> None:
    export_qrels(QRELS, tmp_path / name)
    assert not is_ranx_qrels(tmp_path / name)
    assert read_qrels(tmp_path / name) == QRELS


def test_a_run_is_no_judgment(tmp_path: Path) -> None:
    export_run(RUN, tmp_path / "a.json")
    with pytest.raises(UserError, match=r"the grade 2\.5 of document 'd1' for query 'q1' is no whole number"):
        read_ranx_qrels(tmp_path / "a.json")
