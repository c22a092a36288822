"""What people name on the command line: runs, qrels, published folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.collections.base import Qrels
from harness.errors import UserError
from harness.retrieval.run import Run


def read_run(name: str) -> Run:
    """A TREC file, a file that ranx reads, or a published result folder. Raises UserError."""
    path = Path(name)
    if not path.exists():
        raise UserError("there is no such run", file=path, remedy="give a TREC run (plain or .gz), a file ranx reads, or a result folder")
    return Run.read(path)


def judged(name: str, workspace: Path) -> Qrels:
    """Qrels from a file, or of ``collection:split`` (``semanlink:test``, ``beir/scifact:test``). Raises UserError."""
    from harness.collections.parse import parse_source
    from harness.collections.prepared import prepare
    from harness.collections.qrels import read_qrels

    path = Path(name)
    if path.is_file():
        return read_qrels(path)
    spec, colon, split = name.rpartition(":")
    if not colon or "/" in split or path.suffix:
        raise UserError("there are no such qrels", file=path, remedy="give TREC qrels, a BEIR tsv, or for example semanlink:test")
    return prepare(parse_source(spec), workspace / "collections").judgments(split).qrels


def verify_folders(folders: list[Path], qrels: str | None, workspace: Path) -> dict[str, Any]:
    """``{"results": [{"folder", "problems": [...]}]}``; qrels come from each card's collection and split unless given."""
    from harness.board.published import read_card
    from harness.board.verify import verify

    rows = []
    for folder in folders:
        card = read_card(folder)
        name = qrels if qrels is not None else f"{card.collection.name}:{card.collection.split}"
        rows.append({"folder": str(folder), "problems": verify(folder, judged(name, workspace))})
    return {"results": rows}
