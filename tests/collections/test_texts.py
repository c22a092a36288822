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


def test_ids_with_different_texts_are_counted_and_shown(tmp_path: Path) -> None:
    documents = [Document(name, "", f"text {k}") for k, name in enumerate(("a", "b", "a", "c", "b", "a"))]
    with pytest.raises(UserErrors, match=r"2 document ids occur more than once.*: 'a' \(3 times\), 'b'"):
        store(tmp_path, documents)


def test_what_repeats_a_text_to_the_letter_is_as_if_it_never_came(tmp_path: Path) -> None:
    once = [Document(f"d{k}", "", f"text {k}") for k in range(5)]
    first = store(tmp_path / "a", once)
    again = store(tmp_path / "b", [*once[:3], once[0], *once[3:], once[4], once[0]])
    assert list(again.ids) == list(first.ids) and again.identity == first.identity
    assert again.texts(["d4", "d0"]) == ["text 4", "text 0"]


def test_an_id_without_a_letter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserErrors, match="1 document ids are empty: 'text'"):
        store(tmp_path, [Document("", "", "text")])


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
