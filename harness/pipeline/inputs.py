"""What people name, on the command line and in Python: runs, qrels, collections, published folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.collections.collection import Collection, Qrels
from harness.collections.qrels import read_qrels
from harness.errors import UserError
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.published.ranx_qrels import is_ranx_qrels, read_ranx_qrels
from harness.published.result_folder import Published, read_card, read_folder
from harness.published.verify import verify
from harness.retrieval.run import Run


def load_run(source: str | Path) -> Run:
    """A run from a TREC file, a ranking of MS MARCO or a file that ranx reads, plain or compressed, or from a published
    result folder. Raises UserError.

    >>> import harness
    >>> run = harness.load_run("results/semanlink/bm25-b287f4b1")
    >>> run.name, len(run.scores)
    ('bm25-b287f4b1', 222)
    """
    path = Path(source)
    if not path.exists():
        raise UserError(
            "there is no such run",
            file=path,
            remedy="give a TREC run, a ranking of MS MARCO, a file ranx reads, or a result folder",
        )
    return Run.read(path)


def load_qrels(source: str | Path, workspace: WorkspaceFolder | str | Path = "workspace") -> Qrels:
    """Grades by query and document: from a file of TREC, BEIR or ranx, plain or compressed, or of
    ``collection:split``. Raises UserError.

    Collections are prepared in `workspace`, a `Workspace` or its folder.

    >>> import harness
    >>> qrels = harness.load_qrels("semanlink-arxiv:test", harness.Workspace("workspace"))
    >>> len(qrels), {grade for grades in qrels.values() for grade in grades.values()}
    (80, {1})
    """
    path = Path(source)
    if path.is_file():
        return read_ranx_qrels(path) if is_ranx_qrels(path) else read_qrels(path)
    spec, colon, split = str(source).rpartition(":")
    if not colon or "/" in split or path.suffix:
        raise UserError(
            "there are no such qrels",
            file=path,
            remedy="give qrels of TREC, BEIR or ranx, or for example semanlink:test",
        )
    return load_collection(spec, workspace).judgments(split).qrels


def load_collection(spec: str | Mapping[str, Any], workspace: WorkspaceFolder | str | Path = "workspace") -> Collection:
    """A collection as a sweep file names it, read once and kept in `workspace`. Raises UserError.

    >>> import harness
    >>> collection = harness.load_collection("semanlink-arxiv", harness.Workspace("workspace"))
    >>> len(collection.corpus), collection.splits
    (314, ('train', 'dev', 'test'))
    """
    return WorkspaceFolder.of(workspace).collection(spec)


def load_result(folder: str | Path) -> Published:
    """A published result folder: its card and its values of every query. Raises UserError with the reason where it
    cannot be used.

    >>> import harness
    >>> result = harness.load_result("results/semanlink/bm25-b287f4b1")
    >>> result.card.method.name, round(result.card.outcome.metrics["nDCG@10"], 3)
    ('bm25', 0.486)
    """
    return read_folder(Path(folder))


def collection_split(name: str, workspace: WorkspaceFolder | str | Path) -> tuple[Collection, str]:
    """A collection and one of its splits, from ``collection:split`` (``semanlink:test``, ``folder/PATH:test``). Raises
    UserError."""
    spec, colon, split = name.rpartition(":")
    if not colon or "/" in split:
        raise UserError(
            f"'{name}' names no split", remedy="write collection:split, for example semanlink:test or folder/PATH:test"
        )
    found = load_collection(spec, workspace)
    found.queries(split)
    return found, split


def verify_folders(
    folders: Sequence[Path], qrels: str | None, workspace: WorkspaceFolder | str | Path
) -> dict[str, Any]:
    """``{"results": [{"folder", "problems": [...]}]}``; qrels come from each card's collection and split unless
    given."""
    return {"results": [{"folder": str(folder), "problems": _problems(folder, qrels, workspace)} for folder in folders]}


def _problems(folder: Path, qrels: str | None, workspace: WorkspaceFolder | str | Path) -> list[str]:
    if qrels is not None:
        return verify(folder, load_qrels(qrels, workspace))
    about = read_card(folder).collection
    collection = load_collection(about.name, workspace)
    problems = verify(folder, collection.judgments(about.split).qrels)
    known = {collection.split_hash(about.split), collection.content_hash}
    if known.isdisjoint({about.content_hash, about.former_content_hash}):
        problems.append(f"collection: {about.name} has another content hash here than on the card")
    return problems
