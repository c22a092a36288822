"""Labels beside a run: what was said is read again, what is too large is cut, strangers' files do no harm."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.labelling.labels import run_labels
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.run_labels import RAW, LabelRow, packed, row_of
from harness.published import published_labels
from harness.published.published_labels import read_labels
from harness.published.result_folder import LABELS
from harness.published.untrusted_run import check_run_file

IDS = tuple("abcdef")


@given(st.permutations(IDS), st.permutations(IDS), st.integers(0, 6), st.booleans())
def test_a_ranking_survives_its_row(order: list[str], shown: list[str], placed: int, numbers: bool) -> None:
    scores = tuple(float(number) for number in range(6)) if numbers else None
    ranking = Ranking(
        "q", tuple(order[:placed]), tuple(order[placed:]), "partial", "a reason", "words", scores, tuple(shown)
    )
    row = row_of(ranking, "what", IDS)
    assert row is not None
    found = row.ranking()
    assert (found.query, found.ranked, set(found.unranked)) == ("q", ranking.ranked, set(ranking.unranked))
    assert (found.verdict, found.reason, found.raw) == ("partial", "a reason", "words")
    assert (found.presented or IDS) == ranking.presented
    if numbers:
        assert dict(zip(row.given, row.scores, strict=True)) == dict(zip(order, scores or (), strict=True))


def test_a_row_holds_the_ranker_s_scores_in_the_order_of_the_candidates() -> None:
    row = row_of(Ranking("q", ("b", "a")), "", ("a", "b"), {"b": 2.123456789, "other": 1.0})
    assert row is not None and row.ranker == (None, 2.12346)


def test_rankings_of_other_documents_are_not_published() -> None:
    assert row_of(Ranking("q", ("a", "b")), "", ("a",)) is None
    assert row_of(Ranking("q", ("a",)), "", ("a", "b")) is None
    assert row_of(Ranking("q", ("a" * 3_000,)), "", ("a" * 3_000,)) is None


def test_what_is_too_large_is_cut_and_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row_of(Ranking(str(number), ("a", "b"), raw="x" * (RAW + number)), "", ("a", "b")) for number in range(4)]
    monkeypatch.setattr(run_labels, "MOST_ROWS", 2)
    (tmp_path / LABELS).write_bytes(packed([row for row in rows if row], 4))
    found = read_labels(tmp_path)
    assert found is not None and (found.header.labels, found.header.rows, len(found.rows)) == (4, 2, 2)
    assert [(len(row.raw), row.cut) for row in found.rows] == [(RAW, False), (RAW, True)]
    assert read_labels(tmp_path / "nowhere") is None


def test_equal_rows_give_equal_bytes_and_say_only_what_there_is() -> None:
    row = row_of(Ranking("q", ("a", "b")), "", ("a", "b"))
    assert row is not None and packed([row], 1) == packed([row], 1)
    line = gzip.decompress(packed([row], 1)).splitlines()[1]
    assert json.loads(line) == {"query": "q", "given": ["a", "b"], "order": [1, 2]}


@pytest.mark.parametrize(
    "fields",
    [
        {"order": [1, 1]},
        {"order": [3]},
        {"order": [0]},
        {"shown": [1]},
        {"scores": [1.0]},
        {"given": ["a", "a"]},
        {"raw": "x" * (RAW + 1)},
        {"verdict": "fine"},
        {"more": 1},
    ],
)
def test_a_row_that_does_not_hold_together_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    good = {"query": "q", "given": ["a", "b"], "order": [1]}
    LabelRow.model_validate(good)
    head = {"labels": 1, "kept": 1}
    (tmp_path / LABELS).write_bytes(
        gzip.compress("\n".join(json.dumps(line) for line in (head, good | fields)).encode())
    )
    with pytest.raises(UserError, match=r"labels\.jsonl\.gz:2: "):
        read_labels(tmp_path)


def test_links_bombs_and_nonsense_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / LABELS
    for content in (
        b"",
        b"not gzip",
        gzip.compress(b"not json"),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b"{}")[:-5],
    ):
        file.write_bytes(content)
        with pytest.raises(UserError):
            read_labels(tmp_path)
    monkeypatch.setattr(published_labels, "_LARGEST", 1 << 20)
    file.write_bytes(gzip.compress(bytes(2 << 20)))
    with pytest.raises(UserError, match="unpacks to more"):
        read_labels(tmp_path)
    file.unlink()
    file.symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="no ordinary file"):
        read_labels(tmp_path)
    with pytest.raises(ValueError):
        check_run_file(file, 10)
