"""The JSON of strangers' files: a list, lines, or one object; plain or compressed; every fault with its place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.file_formats.compressed_files import read_plain
from harness.errors import UserError


class PlacedObject(NamedTuple):
    """A JSON object of a file, and its line or its place in the list."""

    place: int
    value: dict[str, Any]


def read_text(file: Path) -> str:
    """The text of a file, plain or compressed. Raises UserError."""
    try:
        return read_plain(file).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", file=file) from error


def json_list(file: Path) -> list[Any]:
    """The one list of a JSON file. Raises UserError."""
    found = _parsed(read_text(file), file)
    if not isinstance(found, list):
        raise UserError("this is no JSON list", file=file)
    return found


def json_rows(file: Path) -> Iterator[PlacedObject]:
    """The objects of a JSON list, of JSON lines, or the one of a JSON file. Raises UserError."""
    whole = read_text(file)
    rows: Iterable[tuple[int, Any]]
    if whole.lstrip().startswith("["):
        rows = enumerate(_parsed(whole, file), 1)
    else:
        lines = whole.split("\n")
        rows = ((number, _parsed(line, file, number)) for number, line in enumerate(lines, 1) if line.strip())
        if lines[0].strip() in ("{", ""):
            rows = enumerate([_parsed(whole, file)], 1)
    for place, value in rows:
        if not isinstance(value, dict):
            raise UserError("no JSON object stands here", file=file, line=place)
        yield PlacedObject(place, value)


def text_of(row: Mapping[str, Any], *names: str) -> str:
    """The first of these keys that has a text or a whole number, as text; empty where none has."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return str(value)
    return ""


def objects_of(row: Mapping[str, Any], *names: str) -> list[dict[str, Any]]:
    """The objects of the list under the first of these keys that has a list; empty where none has."""
    found: list[Any] = next((row[name] for name in names if isinstance(row.get(name), list)), [])
    return [one for one in found if isinstance(one, dict)]


def texts_of(row: Mapping[str, Any], name: str) -> list[str] | None:
    """The texts of the list under a key; None where there is no such list."""
    found = row.get(name)
    if not isinstance(found, list) or not all(isinstance(one, (str, int)) for one in found):
        return None
    return [str(one) for one in found]


def _parsed(text: str, file: Path, line: int | None = None) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"this is no JSON: {error}", file=file, line=line) from error
