"""Preparing a large collection holds neither its texts nor more than a few bytes a document."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.collections.parse import parse_source
from harness.collections.prepared import prepare

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads peak memory from /proc")

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
from harness.collections.parse import parse_source
from harness.collections.prepared import prepare

def peak(*told):
    peaks.append(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))

peaks = []
prepare(parse_source({"folder": sys.argv[1]}), Path(sys.argv[2]), peak)
peak()
print(peaks[-1] - peaks[0])
"""


class Prepared(NamedTuple):
    """What a process of its own made: where, and by how many MB its peak memory rose after the first batch."""

    home: Path
    peak: int


@pytest.fixture(scope="module")
def done(large: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    home = tmp_path_factory.mktemp("home")
    process = subprocess.run(
        [sys.executable, "-c", PREPARE, str(large), str(home)], capture_output=True, text=True, check=True
    )
    return Prepared(home, int(process.stdout))


@pytest.mark.slow
def test_memory_stays_far_below_the_texts(large: Path, done: Prepared) -> None:
    assert (large / "corpus.jsonl").stat().st_size > 200_000_000
    assert done.peak < 60, "the next batch beside the last, and 16 bytes a document for the index"


@pytest.mark.slow
def test_lookups_by_id(large: Path, done: Prepared) -> None:
    corpus = prepare(parse_source({"folder": str(large)}), done.home).corpus
    wanted = [(k * 7919) % DOCUMENTS for k in range(10_000)]
    assert corpus.rows([f"doc{k}" for k in wanted]).tolist() == wanted
    assert corpus.texts(["doc199999"])[0].startswith("Number 199999 199999 some words")
    assert corpus.ids[123_456] == "doc123456"
