"""A model in this process as the reader, and the real questions where they are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.collections.folder import FolderSettings, FolderSource
from harness.collections.prepared import PreparedCollection, prepare
from harness.ledger.ledger import Ledger
from harness.progress import silent
from harness.qa.examination import Examination, answer
from harness.qa.gold_answers import GoldAnswers
from harness.qa.reader import named_reader
from harness.retrieval.run import Run
from tests.threads import one_thread  # noqa: F401


@pytest.mark.models
def test_the_bundled_model_reads(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(
        '{"_id": "d1", "text": "The capital of the country of Atlantis is Poseidonis."}\n{"_id": "d2", "text": "Bees '
        'make honey."}\n'
    )
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "What is the capital of Atlantis?", "metadata": {"answers": ["Poseidonis"]}}\n'
    )
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    found = prepare(FolderSource(FolderSettings(folder=str(tmp_path))), tmp_path / "prepared")
    who = named_reader("{kind: transformers, model: 'bundled:smollm2-135m', max_tokens: 12}")
    about = Examination(found, "test", who, 1, ("TokenF1", "AnswerHit@1"))
    right, wrong = Run("right", {"q1": {"d1": 1.0}}), Run("wrong", {"q1": {"d2": 1.0}})
    report = answer([right, wrong], about, ledger, silent, references=False, baseline="wrong", per_query=True)
    values = {row["name"]: row["metrics"] for row in report["runs"]}
    assert values["right"]["TokenF1"] > values["wrong"]["TokenF1"] == 0
    assert (values["right"]["AnswerHit@1"], values["wrong"]["AnswerHit@1"]) == (1, 0)
    assert "Poseidonis" in report["runs"][0]["answers"]["q1"]
    assert report["llm"]["calls"] == 2 and len(ledger) == 2


@pytest.fixture(scope="module")
def openqa(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedCollection:
    return prepare(FolderSource(FolderSettings(folder=str(shared_data / "openqa"))), tmp_path_factory.mktemp("openqa"))


@pytest.mark.shared
def test_gold_passages_of_real_questions_hold_their_answers(openqa: PreparedCollection, ledger: Ledger) -> None:
    """SQuAD's answers are spans of their passage; cut at other places by DPR's tokens in a few cases only."""
    about = Examination(openqa, "dev", None, 5, ("AnswerHit@1", "AnswerHit@5"))
    gold = Run("gold", {query: dict.fromkeys(found, 1.0) for query, found in openqa.judgments("dev").qrels.items()})
    report = answer([gold], about, ledger, silent)
    assert report["queries"] == len(openqa.queries("dev")) > 700 and report["without_answers"] == 0
    assert report["runs"][0]["metrics"]["AnswerHit@1"] > 0.9
    assert len(GoldAnswers.of(openqa, "test").answers) == len(openqa.queries("test"))
