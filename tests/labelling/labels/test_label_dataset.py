"""Published sets of labels as files: what goes in comes out, equal labels are equal bytes, and a fault has its line."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.labelling.labels.label_dataset import (
    DatasetAbout,
    DatasetHeader,
    DatasetRow,
    LabelDataset,
    read_dataset,
    text_mark,
)
from harness.labelling.labels.label_export import LabelReader
from harness.labelling.labels.label_files import label_source, read_rankings
from harness.labelling.labels.ranking import VERDICTS, Ranking

wild = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\n\r\0\u2028\u0085"\\\ufeff'), max_size=12)
ABOUT = DatasetAbout(
    collection="semanlink",
    split="train",
    content_hash="ab" * 32,
    kind="likelihood",
    model="tiny",
    identity="cd" * 32,
    candidates={"engines": ["bm25s"], "engine_settings": {"k1": 0.9}},
    depth=5,
)


def dataset(*rows: DatasetRow, licence: str = "CC0") -> LabelDataset:
    return LabelDataset(DatasetHeader(about=ABOUT, date="2026-11-30", licence=licence), rows)


def row(query: str, order: str, tail: str = "", given: str = "", **more: Any) -> DatasetRow:
    """One label; documents have names of one letter."""
    return DatasetRow.of(Ranking(query, tuple(order), tuple(tail), **more), f"text of {query}", "train", given or "abc")


@st.composite
def labels(draw: st.DrawFn) -> DatasetRow:
    ids = draw(st.lists(wild, unique=True, max_size=6))
    shuffled = draw(st.permutations(ids))
    placed = draw(st.integers(0, len(ids)))
    numbers = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=len(ids), max_size=len(ids))
    ranking = Ranking(
        draw(wild),
        tuple(shuffled[:placed]),
        tuple(shuffled[placed:]),
        verdict=draw(st.sampled_from(VERDICTS)),
        reason=draw(wild),
        scores=draw(st.none() | numbers.map(tuple)) if ids else None,
        presented=draw(st.just(()) | st.permutations(ids).map(tuple)),
    )
    found = DatasetRow.of(ranking, draw(wild), draw(st.sampled_from(["train", "titles"])), ids)
    assert found.ranking() == ranking
    return found


@settings(deadline=None, max_examples=80)
@given(written=st.lists(labels(), max_size=5, unique_by=lambda one: one.query), seed=st.integers(0, 9))
def test_labels_come_back_and_their_order_changes_no_byte(
    tmp_path_factory: pytest.TempPathFactory, written: list[DatasetRow], seed: int
) -> None:
    file = tmp_path_factory.mktemp("set") / "teacher.jsonl.gz"
    file.write_bytes(dataset(*written).packed())
    shuffled = random.Random(seed).sample(written, len(written))
    assert dataset(*shuffled).packed() == file.read_bytes()
    in_order = sorted(written, key=lambda one: one.query)
    assert list(read_dataset(file).rows) == in_order
    assert read_rankings(file) == [one.ranking() for one in in_order]


def test_no_text_and_no_word_of_the_teacher_is_in_the_file() -> None:
    said = row(
        "q1", "ca", "b", verdict="partial", reason="missing", raw="[3] > [1], since cats", presented=tuple("cba")
    )
    content = gzip.decompress(dataset(said).packed()).decode()
    assert "cats" not in content and "text of" not in content
    assert json.loads(content.splitlines()[1]) == {
        "query": "q1",
        "mark": text_mark("text of q1"),
        "source": "train",
        "given": ["a", "b", "c"],
        "order": [3, 1],
        "shown": [3, 2, 1],
        "verdict": "partial",
        "reason": "missing",
    }


def test_the_source_of_published_labels_stands_on_cards(tmp_path: Path) -> None:
    file = tmp_path / "qwen.jsonl.gz"
    file.write_bytes(dataset(row("q1", "abc")).packed())
    source = label_source(file)
    assert source is not None
    assert (source.name, source.licence, source.date) == ("qwen: likelihood tiny", "CC0", "2026-11-30")
    with pytest.raises(UserError, match="a published set of labels") as caught:
        list(LabelReader(file).entries())
    assert "kind: recorded" in str(caught.value.remedy)


def _changed(**changes: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda lines: lines[2].update(changes)


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (_changed(order=[1, 1, 2]), 3),
        (_changed(order=[4]), 3),
        (_changed(order=[1], tail=[1, 2]), 3),
        (_changed(order=[1], tail=[2]), 3),
        (_changed(scores=[1.0]), 3),
        (_changed(given=["a", "a", "b"]), 3),
        (_changed(mark="no hex"), 3),
        (_changed(text="a passage"), 3),
        (_changed(query="q1"), 3),
        (_changed(verdict="fine"), 3),
        (lambda lines: lines[0]["about"].pop("identity"), 1),
        (lambda lines: lines[0].update(version=2), 1),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, harm: Callable[[list[dict[str, Any]]], None], line: int) -> None:
    content = gzip.decompress(dataset(row("q1", "abc"), row("q2", "bca")).packed()).decode()
    lines = [json.loads(one) for one in content.splitlines()]
    harm(lines)
    (tmp_path / "bad.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    with pytest.raises(UserError) as caught:
        read_dataset(tmp_path / "bad.jsonl")
    assert caught.value.line == line
