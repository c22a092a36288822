"""A results folder from someone who means ill, with one good run in it."""

from __future__ import annotations

import gzip
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from harness.files import sha256
from harness.leaderboard.inspect.query_rankings import LARGEST_RUN
from tests.leaderboard.runs import QUERIES, make_card, make_run, put

SCRIPT = "<script>alert(1)</script>[x](javascript:alert(1)) $\\alpha$ :red[y]"


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


def _victim(results: Path, tag: str) -> Path:
    return put(results, make_card(tag, tag, budget=100), make_run(0.5, 2))


def _scores(path: Path, values: np.ndarray, metrics: list[str]) -> None:
    rows = len(QUERIES)
    columns = {
        "query": QUERIES * len(metrics),
        "metric": [name for name in metrics for _ in range(rows)],
        "value": values,
    }
    pq.write_table(pa.table(columns), path)


def put_hostile(results: Path, outside: Path) -> Path:
    """Write it; the folder whose existence shows that something was executed. `outside` holds what links point to."""
    mark = outside / "executed"
    outside.mkdir(exist_ok=True)
    put(results, make_card("zero"), make_run(0.2, 1))
    put(results, make_card("script", SCRIPT, label=SCRIPT, settings={"x": SCRIPT}, budget=100), make_run(0.6, 2))

    (_victim(results, "pickled") / "metrics.parquet").write_bytes(pickle.dumps(Bomb(mark)))
    (_victim(results, "pickled-run") / "run.trec.gz").write_bytes(pickle.dumps(Bomb(mark)))
    (_victim(results, "bomb") / "run.trec.gz").write_bytes(_gzip_bomb(LARGEST_RUN + (1 << 21)))
    for tag, name in (
        ("sparse-card", "card.yaml"),
        ("sparse-scores", "metrics.parquet"),
        ("sparse-run", "run.trec.gz"),
    ):
        os.truncate(_victim(results, tag) / name, 3 << 30)

    _scores(_victim(results, "nan") / "metrics.parquet", np.full(60, np.nan), ["nDCG@10"])
    _scores(_victim(results, "huge") / "metrics.parquet", np.full(60, 1e308), ["nDCG@10"])
    _scores(_victim(results, "many") / "metrics.parquet", np.zeros(60 * 200), [f"P@{n}" for n in range(200)])
    nan_run = _victim(results, "nan-run") / "run.trec.gz"
    nan_run.write_bytes(gzip.compress(b"q000 Q0 d1 1 nan nan-run\n"))

    card = (_victim(results, "climber") / "card.yaml").read_text()
    (results / "semanlink" / "climber" / "card.yaml").write_text(card.replace("tag: climber", "tag: ../../climber"))
    (_victim(results, "yaml") / "card.yaml").write_text("!!python/object/apply:os.mkdir ['" + str(mark) + "']")
    (_victim(results, "deep") / "card.yaml").write_text("[" * 100_000)
    (results / "semanlink" / "<img src=x onerror=alert(1)>").mkdir()

    secret = put(outside, make_card("secret", "secret"), make_run(0.9, 3))
    (results / "semanlink" / "secret").symlink_to(secret)
    (results / "linked").symlink_to(secret.parent)
    linked = _victim(results, "linked-file") / "metrics.parquet"
    linked.unlink()
    linked.symlink_to(secret / "metrics.parquet")
    return mark


def rehash(folder: Path) -> None:
    """Let the card of a folder describe the files that lie there now."""
    path = folder / "card.yaml"
    card = yaml.safe_load(path.read_text())
    card["outcome"]["files"] = {name: sha256(folder / name) for name in card["outcome"]["files"]}
    path.write_text(yaml.safe_dump(card))


def _gzip_bomb(size: int) -> bytes:
    """`size` zeros, packed without ever holding them."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


GOOD = {"zero-shot", SCRIPT}
"""Methods that a board shows."""
BAD_RUNS = ("pickled-run", "bomb", "sparse-run", "nan-run")
"""Whose run files are not those that their cards describe."""
REFUSED = {
    "semanlink/pickled": "no Parquet file",
    "semanlink/sparse-card": "larger than",
    "semanlink/sparse-scores": "larger than",
    "semanlink/nan": "no finite number",
    "semanlink/huge": "which no metric has",
    "semanlink/many": "200 metrics",
    "semanlink/climber": "must match pattern",
    "semanlink/yaml": "tag",
    "semanlink/deep": "nested too deeply",
    "semanlink/<img src=x onerror=alert(1)>": "missing",
    "semanlink/secret": "a link",
    "linked": "a link",
    "semanlink/linked-file": "no ordinary file",
    **dict.fromkeys((f"semanlink/{tag}" for tag in BAD_RUNS), "run.trec.gz is not the file that its card describes"),
}
"""What is skipped, with a part of the reason."""
