"""``harness answer``: values from a real server, references, tests, and a ledger that pays nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from harness.cli.main import app
from harness.collections.prepared import PreparedCollection
from harness.errors import UserError
from harness.ledger.ledger import Ledger
from harness.progress import silent
from harness.qa.answer_tables import render_answers
from harness.qa.examination import CLOSED, GOLD, AnswerReport, Examination, answer, usual
from harness.qa.reader import reader
from harness.retrieval.run import Run
from harness.teachers.make import teacher_from
from tests.baselines.small import NAMES, write_collection
from tests.qa.server import ReadingServer

ANSWERED = range(1, len(NAMES))
"""Questions with gold answers; there is one more."""


def examined(
    people: PreparedCollection, runs: list[Run], ledger: Ledger, server: ReadingServer | None, **options: object
) -> AnswerReport:
    who = None if server is None else reader(teacher_from(server.teacher()), Path())
    metrics = usual((), who)
    about = Examination(people, "test", who, 2, metrics)
    return answer(runs, about, ledger, silent, **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_values_are_those_of_plain_counting(
    people: PreparedCollection, shifted: Run, ledger: Ledger, server: ReadingServer
) -> None:
    report = examined(people, [shifted], ledger, server, per_query=True)
    rows = {row["name"]: row for row in report["runs"]}
    assert list(rows) == ["shifted", CLOSED, GOLD]
    assert (report["queries"], report["without_answers"], rows["shifted"]["missing"]) == (12, 1, 1)
    # The reader says who stands first: right where the shift is 0 round by four, and a gold answer is 'nobody' too.
    right = {f"test{n}-0": float(n in ANSWERED and n % 4 == 0) for n in range(len(NAMES))}
    assert rows["shifted"]["per_query"]["EM"] == right == rows["shifted"]["per_query"]["TokenF1"]
    assert rows["shifted"]["metrics"]["EM"] == pytest.approx(sum(right.values()) / 12)
    assert rows["shifted"]["metrics"]["AnswerHit@5"] == pytest.approx(len(ANSWERED[:-1]) / 12)
    assert rows[CLOSED]["missing"] == 0, "it is not meant to find anything"
    assert rows[CLOSED]["metrics"] == {"TokenF1": 0, "EM": 0, "AnswerHit@5": 0, "AnswerHit@20": 0}
    assert rows[GOLD]["metrics"] == pytest.approx(dict.fromkeys(rows[GOLD]["metrics"], 11 / 12))
    assert rows["shifted"]["answers"]["test4-0"] == f"{NAMES[4]}."


def test_the_ledger_pays_for_every_question_once(
    people: PreparedCollection, shifted: Run, ledger: Ledger, server: ReadingServer
) -> None:
    first = examined(people, [shifted], ledger, server)
    asked = len(server.bodies)
    # Eleven questions, one of them about nothing found: asked like those of the closed book, and so paid for once only.
    assert first["llm"]["calls"] == asked == 11 + 10 + 11 and first["llm"]["usd"] > 0
    again = examined(people, [shifted, Run("copy", shifted.scores)], ledger, server)
    assert (len(server.bodies), again["llm"]["calls"]) == (asked, 0)
    assert again["runs"][0] == first["runs"][0] and again["runs"][1]["metrics"] == first["runs"][0]["metrics"]


def test_runs_are_tested_in_pairs(
    people: PreparedCollection, shifted: Run, ledger: Ledger, server: ReadingServer
) -> None:
    report = examined(people, [shifted, Run("copy", shifted.scores)], ledger, server, baseline="shifted")
    assert report["comparison"] is not None
    pairs = {row["b"]: row for row in report["comparison"]["comparisons"]}
    assert set(pairs) == {"copy", CLOSED, GOLD} and report["comparison"]["metric"] == "TokenF1"
    assert pairs["copy"]["p"] == 1 and pairs[GOLD]["wins"] == 9 and pairs[GOLD]["p_adjusted"] < 0.05
    assert render_answers(report)
    with pytest.raises(UserError, match="none of the runs"):
        examined(people, [shifted], ledger, server, baseline="bm25")
    with pytest.raises(UserError, match="two runs are called"):
        examined(people, [shifted, shifted], ledger, server)


def test_hits_need_no_reader(people: PreparedCollection, shifted: Run, ledger: Ledger) -> None:
    report = examined(people, [shifted], ledger, None)
    assert list(report["runs"][0]["metrics"]) == ["AnswerHit@5", "AnswerHit@20"] and report["comparison"] is None
    with pytest.raises(UserError, match="need a reader"):
        Examination(people, "test", None, 2, ("EM",))
    with pytest.raises(UserError, match="no metric of answers"):
        Examination(people, "test", None, 2, ("nDCG@10",))


def test_documents_that_are_not_there_are_told(
    people: PreparedCollection, ledger: Ledger, server: ReadingServer
) -> None:
    strange = Run("strange", {"test1-0": {"d1": 1.0, "nowhere": 2.0}})
    report = examined(people, [strange], ledger, server, references=False)
    (row,) = report["runs"]
    assert (row["unknown"], row["missing"]) == (1, 11)
    assert row["metrics"]["EM"] == pytest.approx(1 / 12)


def test_a_collection_without_answers_is_refused(tmp_path: Path, shifted: Run) -> None:
    write_collection(tmp_path / "data", answers=False)
    shifted.write(tmp_path / "a.trec")
    words = ["answer", str(tmp_path / "a.trec"), "--collection", f"folder/{tmp_path}/data:test", "--reader", "none"]
    result = CliRunner().invoke(app, [*words, "--workspace", str(tmp_path / "w")])
    assert isinstance(result.exception, UserError) and "no short answers" in str(result.exception)


def test_as_it_is_typed(tmp_path: Path, shifted: Run, server: ReadingServer) -> None:
    write_collection(tmp_path / "data")
    shifted.write(tmp_path / "a.trec")
    who = yaml.safe_dump(server.teacher(), default_flow_style=True, width=1_000).strip()
    words = [
        "answer",
        str(tmp_path / "a.trec"),
        "--collection",
        f"folder/{tmp_path}/data:test",
        "--reader",
        who,
        "--passages",
        "1",
    ]
    result = CliRunner().invoke(app, [*words, "-m", "EM", "--workspace", str(tmp_path / "w"), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert [row["name"] for row in report["runs"]] == ["shifted", CLOSED, GOLD]
    assert (
        report["passages"] == 1
        and list(report["runs"][0]["metrics"]) == ["EM"]
        and report["comparison"]["metric"] == "EM"
    )
    people = CliRunner().invoke(app, [*words, "-m", "EM", "--workspace", str(tmp_path / "w")])
    assert people.exit_code == 0 and "0 calls" in people.output and "gold-passage" in people.output
