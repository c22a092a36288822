"""Preparing a large collection holds neither its texts nor more than a few bytes a document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.collections.parse import parse_source
from harness.collections.prepared import PreparedCollection, prepare

DOCUMENTS = 200_000
LINE = '{{"_id": "doc{0}", "title": "Number {0}", "text": "{0} {1}"}}\n'


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 200 MB of documents."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "qrels").mkdir()
    body = "some words that stand for a text " * 29
    with (folder / "corpus.jsonl").open("w") as stream:
        stream.writelines(LINE.format(k, body) for k in range(DOCUMENTS))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "words"}\n')
    (folder / "qrels" / "test.tsv").write_text("q1 0 doc77 1\n")
    return folder


PREPARE = """
import sys
from pathlib import Path
import numpy, pyarrow
from harness.collections import building, parse, prepared
from harness.plugins import plugins

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024

source = parse.parse_source({"folder": sys.argv[1]})
before = peak()
prepared.prepare(source, Path(sys.argv[2]))
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads peak memory from /proc")
def test_memory_stays_far_below_the_texts(large: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", PREPARE, str(large), str(tmp_path)], capture_output=True, text=True, check=True)
    assert (large / "corpus.jsonl").stat().st_size > 200_000_000
    assert int(done.stdout) < 80, "MB above what imports take; a batch is 8 MB of text, the index 5 MB"


@pytest.fixture(scope="module")
def collection(large: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedCollection:
    return prepare(parse_source({"folder": str(large)}), tmp_path_factory.mktemp("home"))


def test_lookups_by_id(collection: PreparedCollection) -> None:
    wanted = [(k * 7919) % DOCUMENTS for k in range(10_000)]
    assert collection.corpus.rows([f"doc{k}" for k in wanted]).tolist() == wanted
    assert collection.corpus.texts(["doc199999"])[0].startswith("Number 199999 199999 some words")
    assert collection.corpus.ids[123_456] == "doc123456"
