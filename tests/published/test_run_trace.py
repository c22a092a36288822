"""A trace beside a run: what is written is read, a run gets one without becoming another run, strangers' files do no
harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.published.result_folder import TRACE, publish, read_card, run_folder
from harness.published.run_trace import RunTrace, read_trace
from harness.published.verify import verify
from tests.leaderboard.runs import QRELS, make_card, make_run, put
from tests.leaderboard.traces import trace_of


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / TRACE).write_bytes(trace_of(0.5).to_json())
    assert json.loads((tmp_path / TRACE).read_text())["version"] == 1
    assert read_trace(tmp_path) == trace_of(0.5)
    assert read_trace(tmp_path / "elsewhere") is None


def test_a_run_of_before_gets_its_trace_and_stays_the_same_run(tmp_path: Path) -> None:
    card, run = make_card("ours", budget=100), make_run(0.5)
    folder = put(tmp_path, card, run)
    before = read_card(folder)
    files = (folder, card, tmp_path / "run.trec.gz", tmp_path / "metrics.parquet")
    assert not publish(*files)
    assert publish(*files, trace={TRACE: trace_of(0.5).to_json()})
    assert read_trace(folder) == trace_of(0.5)
    after = read_card(folder)
    assert after.created == before.created and after.identity() == before.identity()
    assert after.outcome is not None and TRACE in after.outcome.files and verify(folder, QRELS) == []
    assert not publish(*files, trace={TRACE: trace_of(0.5).to_json()})
    assert publish(*files, trace={TRACE: trace_of(0.6).to_json()}) and read_trace(folder) == trace_of(0.6)
    # Without a trace of its own a sweep takes none away.
    assert not publish(*files) and read_trace(folder) == trace_of(0.6)
    assert folder == run_folder(tmp_path, card)


def changed(**parts: Any) -> bytes:
    return json.dumps({**trace_of(0.5).model_dump(mode="json"), **parts}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (changed(version=2), "version"),
        (changed(further=1), "unknown key 'further'"),
        (changed(student={"target": "nobody"}), "target"),
        (changed(teacher={"lists": 3, "ndcg": 1.5, "candidates": {"ndcg": 0.5}}), "less than or equal to 1|at most 1"),
        (b"[" * 100_000, "."),
        (b'{"version": 1, "teacher": {"lists": NaN}}', "."),
    ],
)
def test_what_is_no_trace_is_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    folder = put(tmp_path / "results", make_card("odd"), make_run(0.5), beside={TRACE: content})
    with pytest.raises(UserError, match=message):
        read_trace(folder)
    assert any(problem.startswith("unreadable") and TRACE in problem for problem in verify(folder, QRELS))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(trace_of(0.5).to_json())
    (tmp_path / TRACE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="no ordinary file"):
        read_trace(tmp_path)


def test_an_empty_trace_says_nothing() -> None:
    assert RunTrace() == RunTrace(teacher=None, ranker=None, student=None)
