"""The stages end to end on a few texts: runs come out, keys follow content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from harness.collections.own_documents import DroppingQueries
from harness.errors import UserError
from harness.models import ModelFiles
from harness.retrieval.run import FILE, Run
from harness.retrieval.search_stages import EMBEDDINGS, DenseSearch, Embed, Interleave, lexical_search
from harness.stage import Context, Stage
from tests.retrieval.conftest import Listed, Runner

QUERIES = Listed({"q1": "cats hunt mice", "q2": "embeddings for retrieval", "q3": "zebra"})


@dataclass(frozen=True, eq=False)
class Given(Stage):
    """Writes a run that is given."""

    name: str
    content: dict[str, dict[str, float]]
    kind: ClassVar[str] = "given"

    def run(self, out: Path, context: Context) -> None:
        Run(self.name, self.content).write(out / FILE)


@dataclass(frozen=True, eq=False)
class GivenPool(Stage):
    """A pool of two queries, in the form of collections/pool.py."""

    kind: ClassVar[str] = "pool"

    def run(self, out: Path, context: Context) -> None:
        rows = [
            {"id": f"p{at}", "text": text, "source": "titles", "gold": {}}
            for at, text in enumerate(("the dog", "a cat café"))
        ]
        (out / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _run(runner: Runner, stage: Stage) -> Run:
    return Run.read(runner.path(stage) / FILE)


def test_lexical_search_of_queries_and_of_a_pool(runner: Runner, corpus: Listed) -> None:
    run = _run(runner, lexical_search("bm25s", {}, corpus, QUERIES, 2))
    assert (run.name, run.top("q1", 1), run.top("q2", 1), run.top("q3")) == ("bm25s", ["d1"], ["d10"], [])
    pool = _run(runner, lexical_search("bm25s", {}, corpus, GivenPool(), 1))
    assert {query: pool.top(query) for query in ("p0", "p1")} == {"p0": ["d2"], "p1": ["é5"]}


def test_one_index_serves_all_searches(corpus: Listed) -> None:
    one, other = (
        lexical_search("bm25s", {}, corpus, QUERIES, 2),
        lexical_search("bm25s", {"k1": 0.9}, corpus, GivenPool(), 9),
    )
    assert one.index.key == other.index.key
    assert [stage.key for stage in one.inputs()] == [one.index.key]
    assert {stage.kind for stage in other.inputs()} == {"lexical-index", "pool"}
    assert lexical_search("bm25s", {"k1": 1.0}, corpus, QUERIES, 2).index.key != one.index.key
    assert lexical_search("bm25s", {}, Listed({"d1": "other"}), QUERIES, 2).index.key != one.index.key


@pytest.mark.parametrize(
    ("engine", "settings", "message"),
    [("bm26s", {}, "did you mean 'bm25s'"), ("bm25s", {"k2": 1}, "k2"), ("bm25s", {"b": 2}, "b: ")],
)
def test_engines_and_settings_that_are_not_there(
    corpus: Listed, engine: str, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        lexical_search(engine, settings, corpus, QUERIES, 2)


def _dense(
    model: ModelFiles, corpus: Listed, queries: Listed | Stage, depth: int, query_model: ModelFiles | None = None
) -> DenseSearch:
    embed = Embed(model=model, texts=corpus, max_length=64)
    return DenseSearch(model=query_model or model, corpus=embed, queries=queries, ids=corpus, depth=depth)


def test_dense_search_is_the_nearest_by_cosine(runner: Runner, corpus: Listed, tiny: ModelFiles) -> None:
    run = _run(runner, _dense(tiny, corpus, QUERIES, 3))
    model = SentenceTransformer(str(tiny.path), device="cpu")
    texts = corpus.slice_texts(0, len(corpus))
    scores = model.similarity(model.encode_query(QUERIES.slice_texts(0, 3)), model.encode_document(texts)).numpy()
    for query, row in zip(QUERIES.ids, scores, strict=True):
        nearest = [corpus.ids[at] for at in np.argsort(-row)[:3]]
        assert run.top(query) == nearest
        # Documents are kept in float16, which rounds by 2^-11 at most.
        assert [run.scores[query][name] for name in nearest] == pytest.approx(sorted(row, reverse=True)[:3], abs=2**-11)


def test_embeddings_say_how_they_were_made(runner: Runner, corpus: Listed, tiny: ModelFiles) -> None:
    folder = runner.path(Embed(model=tiny, texts=corpus, max_length=32))
    meta = json.loads((folder / "meta.json").read_text())
    assert meta == {
        "rows": 6,
        "dimensions": 128,
        "max_length": 32,
        "precision": "fp32",
        "device": meta["device"],
        "similarity": "cosine",
    }
    assert np.load(folder / EMBEDDINGS, mmap_mode="r").shape == (6, 128)


def test_precision_is_part_of_a_key(corpus: Listed, tiny: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Embed(model=tiny, texts=corpus, max_length=32)
    assert Embed(model=tiny, texts=corpus, max_length=32).key == one.key
    assert Embed(model=tiny, texts=corpus, max_length=33).key != one.key
    monkeypatch.setenv("HARNESS_PRECISION", "bf16")
    assert Embed(model=tiny, texts=corpus, max_length=32).key != one.key


def test_equal_documents_are_in_the_order_of_trec_eval(runner: Runner, tiny: ModelFiles) -> None:
    corpus = Listed({f"d{number}": "the same text" for number in (3, 10, 2, 1)})
    assert _run(runner, _dense(tiny, corpus, QUERIES, 3)).top("q1") == ["d3", "d2", "d10"]


def test_dense_search_of_a_pool(runner: Runner, corpus: Listed, tiny: ModelFiles) -> None:
    run = _run(runner, _dense(tiny, corpus, GivenPool(), 100))
    assert {query: len(found) for query, found in run.scores.items()} == {"p0": 6, "p1": 6}


def test_interleaving_takes_turns_and_skips_what_is_there(runner: Runner) -> None:
    one = Given("one", {"q": {"a": 3, "b": 2, "c": 1}, "only": {"z": 1}})
    two = Given("two", {"q": {"b": 9, "d": 8, "a": 7, "e": 6}})
    run = _run(runner, Interleave(runs=(one, two), depth=4))
    assert run.name == "one+two"
    assert run.top("q") == ["a", "b", "d", "c"]
    assert run.top("only") == ["z"]
    assert list(run.scores["q"].values()) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    assert [stage.key for stage in Interleave(runs=(one, two), depth=4).inputs()] == [one.key, two.key]


def test_own_documents_are_left_out_and_the_depth_stays_full(runner: Runner, corpus: Listed, tiny: ModelFiles) -> None:
    queries = Listed({name: corpus.texts([name])[0] for name in ("d2", "é5")} | {"q": "the cat"})
    for depth in (1, 2, 6):
        for search in (
            lambda given, depth=depth: lexical_search("bm25s", {}, corpus, given, depth),
            lambda given, depth=depth: _dense(tiny, corpus, given, depth),
        ):
            every, dropped = _run(runner, search(queries)), _run(runner, search(DroppingQueries(queries)))
            whole = _run(runner, search(queries)) if depth == 6 else None
            assert every.top("d2", 1) == ["d2"] and every.top("q") == dropped.top("q")
            for query in ("d2", "é5"):
                assert query not in dropped.top(query)
                if whole is not None:
                    assert dropped.top(query) == [one for one in whole.top(query) if one != query]
            assert len(dropped.top("d2")) == (depth if depth < 6 else len(every.top("d2")) - 1)


def test_dense_search_finds_what_beirs_exact_search_finds(runner: Runner, corpus: Listed, tiny: ModelFiles) -> None:
    from beir.retrieval.search.dense import DenseRetrievalExactSearch

    model = SentenceTransformer(str(tiny.path), device="cpu")

    class Encoder:
        def encode_queries(self, queries: list[str], **_: object) -> np.ndarray:
            return model.encode_query(queries)

        def encode_corpus(self, documents: list[dict[str, str]], **_: object) -> np.ndarray:
            return model.encode_document([one["text"] for one in documents])

    texts = dict(zip(corpus.ids, corpus.slice_texts(0, len(corpus)), strict=True))
    queries = {name: texts[name] for name in ("d1", "d10")}
    theirs = DenseRetrievalExactSearch(Encoder(), corpus_chunk_size=100).search(
        {name: {"title": "", "text": text} for name, text in texts.items()}, queries, 3, "cos_sim"
    )
    ours = _run(runner, _dense(tiny, corpus, DroppingQueries(Listed(queries)), 3))
    for query in queries:
        assert ours.top(query) == sorted(theirs[query], key=theirs[query].__getitem__, reverse=True)[:3]
        assert len(ours.top(query)) == 3
