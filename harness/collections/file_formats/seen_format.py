"""What a file looks like that is not what it was given for: one phrase for the end of a message."""

from __future__ import annotations

import re
from pathlib import Path

from harness.collections.file_formats.compressed_files import open_plain
from harness.errors import UserError

_MARKS = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"PAR1": "Parquet, whose name must end in .parquet",
    b"\x28\xb5\x2f\xfd": "a Zstandard file: unpack it first",
    b"\x04\x22\x4d\x18": "an LZ4 file, whose name must end in .lz4",
    b"SQLite format 3": "an SQLite database",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"\xff\xfe": "text in UTF-16: save it as UTF-8",
    b"\xfe\xff": "text in UTF-16: save it as UTF-8",
    b"version https://git-lfs": "a Git LFS pointer: run git lfs pull",
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_GRADE = re.compile(r"[+-]?\d+(\.0*)?")
_HEAD = 4096


def seen_format(path: Path, expected: str = "") -> str:
    """``; the file looks like ...``, or nothing where it looks like nothing known, or like what begins with `expected`:
    then single lines are wrong, not the file."""
    try:
        with open_plain(path) as stream:
            head = stream.read(_HEAD)
    except (OSError, UserError):
        return ""
    phrase = next((phrase for mark, phrase in _MARKS.items() if head.startswith(mark)), None) or _text_format(head)
    return f"; the file looks like {phrase}" if phrase and not (expected and phrase.startswith(expected)) else ""


def _text_format(head: bytes) -> str:
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.lower().startswith(("<!doctype", "<html", "<?xml", "<")):
        return "a web page or XML"
    if text.startswith(("{", "[")):
        return "JSON, whose name must end in .json" if text[1:].lstrip()[:1] in ('"', "{", "[", "") else ""
    # The first line may be a header; a line that was cut off is none.
    lines = text.splitlines()[:3]
    return next((phrase for line in reversed(lines[:2]) if (phrase := _line_format(line))), "")


def _line_format(line: str) -> str:
    words = line.split()
    numeric = [bool(_NUMBER.fullmatch(word)) for word in words]
    if len(words) == 6 and numeric[3] and numeric[4]:
        return "a TREC run (query Q0 document rank score name)"
    if len(words) == 4 and numeric[2] and numeric[3] and words[1] not in ("0", "Q0"):
        return "a ranking of MS MARCO (query, document, rank, score)"
    if len(words) == 4 and _GRADE.fullmatch(words[3]):
        return "qrels of TREC (query, iteration, document, grade)"
    if len(words) == 3 and _GRADE.fullmatch(words[2]):
        return "qrels of BEIR (query, document, grade) or a ranking of MS MARCO (query, document, rank)"
    commas = len(line.split(","))
    return f"{commas} columns with commas between them (CSV): put tabs there" if commas > 2 and len(words) < 3 else ""
