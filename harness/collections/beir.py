"""Collections of the BEIR benchmark by name."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import Field

from harness._lazy import lazy
from harness.collections.collection import CollectionSource, Document, Judgment, Query, SourceSettings
from harness.collections.folder import beir_qrels, read_documents, read_queries, stat_mark, texts_file
from harness.collections.qrels import iter_judgments
from harness.errors import UserError, did_you_mean
from harness.files import build_once, cache_home

requests = lazy("requests")

NAMES = (
    *(
        "arguana",
        "climate-fever",
        "cqadupstack",
        "dbpedia-entity",
        "fever",
        "fiqa",
        "germanquad",
        "hotpotqa",
        "msmarco",
        "nfcorpus",
    ),
    *("nq", "nq-train", "quora", "scidocs", "scifact", "trec-covid", "webis-touche2020"),
)
"""The archives that BEIR's README lists. One with several collections inside takes a folder too:
cqadupstack/android."""

ADDRESS = "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets"


class BeirSettings(SourceSettings):
    """Which collection, and where archives are fetched from."""

    beir: str = Field(
        pattern=r"^[\w-]+(/[\w-]+)?$", description="name of the collection, as in scifact or cqadupstack/android"
    )
    address: str = Field(ADDRESS, description="where <name>.zip is fetched from", json_schema_extra={"transport": True})


class BeirSource(CollectionSource):
    """Downloaded by the beir package and read as any other folder in its format. Queries come in the order that its
    loader gives them."""

    name = "beir"
    summary = (
        "a collection of the BEIR benchmark by name, downloaded once: beir/scifact, beir/nq, beir/cqadupstack/android"
    )
    source = "https://github.com/beir-cellar/beir (arXiv 2104.08663)"
    licence = "that of each data set, see BEIR's list"
    citation = "Thakur, Reimers, Rueckle, Srivastava, Gurevych: BEIR. NeurIPS Datasets and Benchmarks 2021"
    Settings = BeirSettings

    def __init__(self, settings: BeirSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._beir = settings.beir
        self._address = settings.address.rstrip("/")

    @property
    def title(self) -> str:
        return f"beir/{self._beir}"

    @property
    def drops_identical(self) -> bool:
        """As BEIR's own search and evaluation have it."""
        return True

    def fingerprint(self) -> str:
        """Size, inode and times of the downloaded files; downloads them where they are absent."""
        files = [
            *(texts_file(self._folder, name) for name in ("corpus.jsonl", "queries.jsonl")),
            *beir_qrels(self._folder).values(),
        ]
        return json.dumps([self._beir, *(stat_mark(file) for file in files)])

    def documents(self) -> Iterator[Document]:
        return read_documents(self._folder)

    def queries(self) -> Iterator[Query]:
        """The judged queries in the order of the judgments, as BEIR's own loader has them."""
        texts = {query.id: query._replace(answers=()) for query in read_queries(self._folder)}
        judged = dict.fromkeys(one.query for lines in self.judgments().values() for one in lines)
        return (texts[query] for query in judged if query in texts)

    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {split: iter_judgments(file) for split, file in beir_qrels(self._folder).items()}

    def judgment_files(self) -> dict[str, Path]:
        return beir_qrels(self._folder)

    @cached_property
    def _folder(self) -> Path:
        archive = self._beir.split("/")[0]
        build_once(cache_home() / "beir" / archive, partial(_download, f"{self._address}/{archive}.zip"))
        return cache_home() / "beir" / self._beir


def _download(url: str, folder: Path) -> None:
    """Fetch an archive and unpack it into the empty `folder`."""
    from beir.util import download_and_unzip

    name = url.rpartition("/")[2].removesuffix(".zip")
    own = "An unpacked archive can be given as {folder: PATH}"
    try:
        with TemporaryDirectory(dir=folder.parent) as scratch:
            for entry in Path(download_and_unzip(url, scratch)).iterdir():
                shutil.move(entry, folder / entry.name)
    except (requests.RequestException, zipfile.BadZipFile, OSError) as error:
        raise UserError(
            f"BEIR collection '{name}' cannot be fetched from {url}: {type(error).__name__}: {error}",
            remedy=own if name in NAMES else did_you_mean(name, NAMES, own),
        ) from error
