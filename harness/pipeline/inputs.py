"""What people name on the command line: runs, qrels, published folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.collections.collection import Collection, Qrels
from harness.collections.parse import parse_source
from harness.collections.prepared import prepare
from harness.collections.qrels import read_qrels
from harness.errors import UserError
from harness.published.ranx_qrels import is_ranx_qrels, read_ranx_qrels
from harness.published.result_folder import read_card
from harness.published.verify import verify
from harness.retrieval.run import Run


def read_run(name: str) -> Run:
    """A TREC file, a file that ranx reads, or a published result folder. Raises UserError."""
    path = Path(name)
    if not path.exists():
        raise UserError("there is no such run", file=path, remedy="give a TREC run (plain or .gz), a file ranx reads, or a result folder")
    return Run.read(path)


def load_qrels(name: str, workspace: Path) -> Qrels:
    """Qrels from a file, or of ``collection:split`` (``semanlink:test``, ``beir/scifact:test``). Raises UserError."""

    path = Path(name)
    if path.is_file():
        return read_ranx_qrels(path) if is_ranx_qrels(path) else read_qrels(path)
    spec, colon, split = name.rpartition(":")
    if not colon or "/" in split or path.suffix:
        raise UserError("there are no such qrels", file=path, remedy="give qrels of TREC, BEIR or ranx, or for example semanlink:test")
    return _collection(spec, workspace).judgments(split).qrels


def collection_split(name: str, workspace: Path) -> tuple[Collection, str]:
    """A collection and one of its splits, from ``collection:split`` (``semanlink:test``, ``folder/PATH:test``). Raises UserError."""
    spec, colon, split = name.rpartition(":")
    if not colon or "/" in split:
        raise UserError(f"'{name}' names no split", remedy="write collection:split, for example semanlink:test or folder/PATH:test")
    found = _collection(spec, workspace)
    found.queries(split)
    return found, split


def _collection(spec: str, workspace: Path) -> Collection:

    return prepare(parse_source(spec), workspace / "collections")


def verify_folders(folders: list[Path], qrels: str | None, workspace: Path) -> dict[str, Any]:
    """``{"results": [{"folder", "problems": [...]}]}``; qrels come from each card's collection and split unless given."""

    rows = []
    for folder in folders:
        if qrels is not None:
            problems = verify(folder, load_qrels(qrels, workspace))
        else:
            told = read_card(folder).collection
            found = _collection(told.name, workspace)
            problems = verify(folder, found.judgments(told.split).qrels)
            if found.content_hash != told.content_hash:
                problems.append(f"collection: {told.name} has another content hash here than on the card")
        rows.append({"folder": str(folder), "problems": problems})
    return {"results": rows}
