"""What people name, on the command line and in Python: runs, qrels, collections, published folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.collections.collection import Collection, CollectionSource, Qrels
from harness.collections.qrels import read_qrels
from harness.errors import UserError
from harness.evaluation.query_clusters import query_clusters
from harness.evaluation.significance.clusters import read_clusters
from harness.leaderboard.run_group import carried_clusters
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.plugins import plugins
from harness.published.ranx_qrels import is_ranx_qrels, read_ranx_qrels
from harness.published.result_folder import CARD, Published, read_folder
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


def typed_collection(text: str, workspace: WorkspaceFolder | str | Path = "workspace") -> Collection:
    """The collection that somebody typed: as in a sweep file (``scifact``, ``beir/scifact``, ``{folder: PATH}``), or
    the path of a folder in BEIR's format. Raises UserError."""
    spec: object = text
    if text.lstrip().startswith("{"):
        try:
            spec = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UserError(f"'{text}' is no YAML", key="--collection", remedy=_COLLECTIONS) from error
    elif text not in plugins(CollectionSource) and Path(text).expanduser().is_dir():
        spec = {"folder": text}
    return load_collection(spec if isinstance(spec, dict) else text, workspace)


_COLLECTIONS = "write a name (scifact), NAME/WHAT (beir/scifact), the path of a folder, or '{folder: PATH, name: NAME}'"


def load_result(folder: str | Path) -> Published:
    """A published result folder: its card and its values of every query. Raises UserError with the reason where it
    cannot be used.

    >>> import harness
    >>> result = harness.load_result("results/semanlink/bm25-b287f4b1")
    >>> result.card.method.name, round(result.card.outcome.metrics["nDCG@10"], 3)
    ('bm25', 0.486)
    """
    return read_folder(Path(folder))


def clusters_at_hand(
    sources: Sequence[str | Path],
    qrels: str | Path,
    workspace: WorkspaceFolder | str | Path = "workspace",
    file: Path | None = None,
) -> dict[str, str]:
    """query -> cluster, of queries that are not independent: as `file` says (see `read_clusters`), otherwise as the
    result folders among `sources` were published with, or as the collection of `qrels` (``collection:split``) tells.
    Raises UserError for a file or folder that cannot be read."""
    if file is not None:
        return read_clusters(file)
    folders = [read_folder(Path(source)) for source in sources if (Path(source) / CARD).is_file()]
    if carried := carried_clusters(folders).names:
        return dict(carried)
    if Path(qrels).is_file():
        return {}
    spec, _, split = str(qrels).rpartition(":")
    found = query_clusters(load_collection(spec, workspace), split)
    return dict(found.names) if found is not None else {}


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
