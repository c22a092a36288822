"""A folder in BEIR's format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from harness.collections.collection import CollectionSource, Document, Judgment, Query, SourceSettings
from harness.collections.file_formats.compressed_files import COMPRESSED
from harness.collections.located_lines import LocatedRecord, plain_or_compressed, read_records
from harness.collections.qrels import iter_qrels
from harness.errors import UserError, did_you_mean, nearest

DOCUMENT = '{"_id": "d7", "title": "A title or nothing", "text": "The text"}'
CLUSTER = "cluster"
"""The field of a query's metadata that names its cluster."""
QUERY = '{"_id": "q1", "text": "what is asked"}'


class FolderSettings(SourceSettings):
    """Where the folder is."""

    folder: str = Field(
        description="folder with corpus.jsonl, queries.jsonl and qrels/*.tsv, plain or as .gz, .bz2 or .xz; relative "
        "to the sweep file",
        json_schema_extra={"transport": True},
    )
    name: str | None = Field(
        None,
        description="the collection's name on boards; by default that of the folder",
        json_schema_extra={"transport": True},
    )
    splits: dict[str, str] | None = Field(
        None,
        description="which qrels file is which split, e.g. {train: dl20, test: dl19}; by default every file is the "
        "split it is called",
    )


class FolderSource(CollectionSource):
    """``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv`` (BEIR's three columns or TREC's four)."""

    name = "folder"
    summary = "a folder of your own in BEIR's format: corpus.jsonl, queries.jsonl, qrels/<split>.tsv"
    source = "BEIR's file format (arXiv 2104.08663)"
    licence = "that of your data"
    keeps_order = False
    Settings = FolderSettings

    def __init__(self, settings: FolderSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self.path = (base / Path(settings.folder).expanduser()).resolve()
        self._name = settings.name
        self._splits = settings.splits

    @property
    def title(self) -> str:
        return self._name or self.path.name

    def fingerprint(self) -> str:
        """Place, size, inode and times of every file that is read."""
        return json.dumps([str(self.path), *(stat_mark(file) for file in self.files())])

    def files(self) -> list[Path]:
        """All files of the collection. Raises UserError that names all missing ones."""
        qrels = self._qrels().values()
        return [texts_file(self.path, "corpus.jsonl"), texts_file(self.path, "queries.jsonl"), *qrels]

    def documents(self) -> Iterator[Document]:
        return read_documents(self.path)

    def queries(self) -> Iterator[Query]:
        return read_queries(self.path)

    def judgments(self) -> dict[str, Iterator[Judgment]]:
        return {split: iter_qrels(file) for split, file in self._qrels().items()}

    def judgment_files(self) -> dict[str, Path]:
        return self._qrels()

    def _qrels(self) -> dict[str, Path]:
        found = beir_qrels(self.path)
        if self._splits is None:
            return found
        if unknown := next((name for name in self._splits.values() if name not in found), None):
            raise UserError(
                f"there is no qrels file '{unknown}.tsv'",
                file=self.path / "qrels",
                key="splits",
                remedy=did_you_mean(unknown, found),
            )
        return {split: found[name] for split, name in self._splits.items()}


def beir_qrels(folder: Path) -> dict[str, Path]:
    """The qrels files of a BEIR folder by split. Raises UserError when the folder is incomplete, naming all that is
    missing."""
    if not folder.is_dir():
        beside = [one.name for one in folder.parent.iterdir() if one.is_dir()] if folder.parent.is_dir() else []
        remedy = nearest(folder.name, beside) or "give a folder with corpus.jsonl, queries.jsonl and qrels/<split>.tsv"
        raise UserError(f"there is no folder '{folder}'", remedy=remedy)
    endings = [f"{kind}{ending}" for kind in (".tsv", ".csv") for ending in ("", *COMPRESSED)]
    named = [(file, ending) for ending in endings for file in sorted((folder / "qrels").glob(f"*{ending}"))]
    found = dict(sorted((file.name.removesuffix(ending), file) for file, ending in reversed(named)))
    missing = [name for name in ("corpus.jsonl", "queries.jsonl") if plain_or_compressed(folder, name) is None]
    missing += [] if found else ["qrels/<split>.tsv"]
    if missing:
        raise UserError(
            f"'{folder}' is no BEIR folder: {' and '.join(missing)} missing",
            remedy=f"corpus.jsonl has lines like {DOCUMENT}, queries.jsonl like {QUERY}",
        )
    return found


def texts_file(folder: Path, name: str) -> Path:
    """The file `name` of a BEIR folder, plain or compressed; the plain one where there is neither."""
    return plain_or_compressed(folder, name) or folder / name


def read_documents(folder: Path) -> Iterator[Document]:
    """The documents of a BEIR folder, streamed. Raises UserError with the line of a corrupt one."""
    for record in read_records(texts_file(folder, "corpus.jsonl"), DOCUMENT):
        yield Document(record.text("_id"), record.text("title", default=""), record.text("text"))


def read_queries(folder: Path) -> Iterator[Query]:
    """The queries of a BEIR folder, streamed. Raises UserError with the line of a corrupt one."""
    for record in read_records(texts_file(folder, "queries.jsonl"), QUERY):
        yield Query(record.text("_id"), record.text("text"), _answers(record), _metadata(record))


def stat_mark(file: Path) -> list[str | int]:
    """What changes when a file is written: name, size, inode and times."""
    stat = file.stat()
    return [file.name, stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]


def _answers(record: LocatedRecord) -> tuple[str, ...]:
    metadata = record.value.get("metadata")
    answers = metadata.get("answers", []) if isinstance(metadata, dict) else []
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise record.error("'metadata.answers' is no list of strings")
    return tuple(answers)


def _metadata(record: LocatedRecord) -> dict[str, str]:
    """Its fields that are texts or whole numbers; a cluster that is neither is an error."""
    metadata = record.value.get("metadata")
    found: dict[str, str] = {}
    for name, value in metadata.items() if isinstance(metadata, dict) else ():
        if isinstance(value, str | int) and not isinstance(value, bool):
            if str(value).strip():
                found[name] = str(value)
        elif name == CLUSTER and value is not None:
            raise record.error(f"'metadata.{CLUSTER}' is a {type(value).__name__}, not a text or a whole number")
    return found
