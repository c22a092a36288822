"""Stored texts: what goes in comes out, by id, by row and by slice, even when ids collide."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collections import texts, texts_writer
from harness.collections.collection import Document
from harness.collections.import_report import Findings
from harness.collections.texts import StoredTexts
from harness.collections.texts_writer import write_texts
from harness.errors import UserErrors

ids = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
words = st.text(st.characters(codec="utf-8"), max_size=30)
rows = st.lists(st.builds(Document, ids, words, words), max_size=40, unique_by=lambda row: row.id)


def store(folder: Path, documents: Sequence[Document]) -> StoredTexts:
    findings = Findings("test")
    stored = write_texts(folder / "texts", documents, "document", findings)
    findings.report()
    return StoredTexts(folder / "texts", *stored)


@pytest.mark.slow
@given(documents=rows, batch=st.sampled_from([1, 3, 8192]))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, documents: list[Document], batch: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts_writer, "BATCH_ROWS", batch)
        stored = store(tmp_path_factory.mktemp("texts"), documents)
    names = [row.id for row in documents]
    full = [f"{row.title} {row.text}".strip() for row in documents]
    assert list(stored.documents()) == documents
    assert list(stored.ids) == names == stored.ids[:]
    assert [stored.ids[k] for k in range(len(names))] == names
    assert stored.slice_texts(0, len(names)) == full
    assert stored.slice_texts(1, 5) == full[1:5]
    assert stored.texts(names[::-1]) == full[::-1]
    assert stored.rows(names[::-1]).tolist() == list(range(len(names)))[::-1]
    assert list(stored.documents(np.arange(len(names))[::-1])) == documents[::-1]


def test_unknown_ids(tmp_path: Path) -> None:
    stored = store(tmp_path, [Document("a", "", "x"), Document("b", "", "y")])
    with pytest.raises(KeyError, match="nowhere"):
        stored.texts(["a", "nowhere"])
    assert stored.find(["b", "nowhere", "a"]).tolist() == [1, -1, 0]
    assert "a" in stored.ids and "nowhere" not in stored.ids and 3 not in stored.ids
    assert stored.texts([]) == [] and stored.rows([]).dtype == np.int64
    with pytest.raises(IndexError):
        stored.ids[2]


def test_ids_that_share_a_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def three_bits(values: Sequence[str]) -> np.ndarray:
        return np.array([len(value) % 3 for value in values], dtype="<u8")

    monkeypatch.setattr(texts, "id_hashes", three_bits)
    monkeypatch.setattr(texts_writer, "id_hashes", three_bits)
    names = [f"{k:x}" * (1 + k % 4) for k in range(16)]
    stored = store(tmp_path, [Document(name, "", f"text {name}") for name in names])
    assert stored.rows(names).tolist() == list(range(16))
    assert stored.find(["zzz", "ff"]).tolist() == [-1, -1]


def test_repeated_ids_are_counted_and_shown(tmp_path: Path) -> None:
    documents = [Document(name, "", "text") for name in ("a", "b", "a", "c", "b", "a")]
    with pytest.raises(UserErrors, match=r"2 document ids occur more than once: .*'a' \(3 times\)"):
        store(tmp_path, documents)


@pytest.mark.parametrize("name", ["", "two words", " led", "tab\tbed"])
def test_ids_that_a_trec_run_cannot_hold_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserErrors, match="1 document ids are empty or hold white space"):
        store(tmp_path, [Document(name, "", "text")])


def test_half_surrogates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserErrors, match="1 documents hold half a surrogate pair: 'a'"):
        store(tmp_path, [Document("a", "", "broken \ud83d")])


def test_identity_frames_its_parts(tmp_path: Path) -> None:
    """Moving a character over the border between two fields or two documents is a change."""
    variants = [
        [Document("a", "bc", "d"), Document("e", "", "")],
        [Document("a", "b", "cd"), Document("e", "", "")],
        [Document("ab", "c", "d"), Document("e", "", "")],
        [Document("a", "bc", ""), Document("e", "", "d")],
        [Document("e", "", ""), Document("a", "bc", "d")],
    ]
    identities = {store(tmp_path / str(k), variant).identity for k, variant in enumerate(variants)}
    assert len(identities) == len(variants)
    assert store(tmp_path / "again", variants[0]).identity in identities


def test_pickles_as_its_folder(tmp_path: Path) -> None:
    stored = store(tmp_path, [Document(f"d{k}", "", "text " * 1000) for k in range(50)])
    stored.texts(["d7"])
    packed = pickle.dumps(stored)
    assert len(packed) < 1000
    assert pickle.loads(packed).texts(["d7"]) == stored.texts(["d7"])
