"""What a reader answered from a run, beside its card: with it, EM and TokenF1 can be computed again by anybody.

``answers.jsonl.gz`` is gzipped JSON lines: a header, then ``{"query", "answer"}`` for every question that was answered,
in the order of their ids. Folders of strangers are looked at before they are read.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt

from harness.errors import UserError
from harness.published.card_section import CardSection
from harness.published.result_folder import ANSWERS
from harness.published.untrusted_run import check_run_file
from harness.text import encodable, plain
from harness.validation import validated_json

_LARGEST = 1 << 26
"""Bytes after decompression above which a file is not read."""


class AnswersHeader(CardSection):
    """The first line."""

    format: Literal["distil-harness answers of a run"] = "distil-harness answers of a run"
    version: Literal[1] = 1
    answers: NonNegativeInt


class AnswerRow(CardSection):
    """The short answer to a question, as metrics read it."""

    query: str
    answer: str


def packed_answers(answers: Mapping[str, str]) -> bytes:
    """The file's bytes; equal answers give equal bytes."""
    lines = [AnswersHeader(answers=len(answers)).model_dump()]
    lines += [{"query": query, "answer": encodable(answers[query])} for query in sorted(answers)]
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode())
    return buffer.getvalue()


def read_answers(folder: Path) -> dict[str, str] | None:
    """Answers by query id; None where the run was published without. Raises UserError for a link, a large or malformed
    file, and for two answers to one question."""
    path = folder / ANSWERS
    if not path.is_symlink() and not path.exists():
        return None
    try:
        check_run_file(path, _LARGEST)
        head, *lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
        header = validated_json(AnswersHeader, head, what="the answers", file=path)
        rows = [validated_json(AnswerRow, line, what="an answer", file=path) for line in lines if line]
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(plain(str(error)), file=path) from error
    answers = {row.query: row.answer for row in rows}
    if not len(answers) == len(rows) == header.answers:
        said = f"its head tells of {header.answers:,} answers, there are {len(rows):,} to {len(answers):,} questions"
        raise UserError(said, file=path)
    return answers
