"""Reading text files line by line so that every complaint names the file and the line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from harness.collections.file_formats.compressed_files import COMPRESSED, open_plain
from harness.collections.file_formats.seen_format import seen_format
from harness.errors import UserError

_BOM = "\ufeff"


def plain_or_compressed(folder: Path, name: str) -> Path | None:
    """The file `name` of `folder`, or its compressed form (``name.gz``, ``.bz2``, ``.xz``); None where neither is."""
    return next((file for ending in ("", *COMPRESSED) if (file := folder / f"{name}{ending}").is_file()), None)


class LocatedLine(NamedTuple):
    """A line that is not blank, without its end, blanks around it kept; `number` counts all lines from 1."""

    number: int
    text: str


@dataclass(frozen=True)
class LocatedRecord:
    """A JSON object, where it stands, and what a right one looks like."""

    path: Path
    number: int
    value: dict[str, Any]
    example: str

    def text(self, key: str, default: str | None = None) -> str:
        """The string under `key`; a whole number is taken as its digits, null as nothing, and `default` stands for an
        absent key.

        Raises UserError when the key is absent without a default, or holds something else, or half a surrogate pair.
        """
        value = self.value.get(key, default)
        if key in self.value and value is None:
            value = ""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self.error(
                f"'{key}' " + (f"is a {type(value).__name__}, not a string" if key in self.value else "is missing")
            )
        if not _is_unicode(value):
            raise self.error(f"'{key}' holds half a surrogate pair, which is no character")
        return value

    def error(self, message: str) -> UserError:
        """A complaint about this line."""
        return UserError(message, file=self.path, line=self.number, remedy=f"a right line looks like {self.example}")


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_lines(path: Path) -> Iterator[LocatedLine]:
    """The lines of a UTF-8 file, plain or compressed, streamed; blank ones are left out. A byte order mark is skipped
    at the head of any line, since files are put one behind another.

    Raises UserError when there is no such file, it is damaged, or it is not UTF-8.
    """
    number = 0
    try:
        with open_plain(path) as stream:
            for number, raw in enumerate(stream, start=1):
                text = _decode(raw, path, number).lstrip(_BOM).rstrip("\r\n")
                if text.strip():
                    yield LocatedLine(number, text)
    except FileNotFoundError:
        raise UserError("there is no such file", file=path) from None
    except UserError as error:
        raise (replace(error, line=number + 1) if error.line is None else error) from error.__cause__


def _decode(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"is not UTF-8: byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the line{seen_format(path)}",
            file=path,
            line=number,
            remedy="save the file as UTF-8, for example: iconv -f LATIN1 -t UTF-8",
        ) from error


def read_records(path: Path, example: str) -> Iterator[LocatedRecord]:
    """The JSON objects of a JSON Lines file, streamed. `example` is a right line, shown when one is wrong
    (UserError)."""
    for number, text in read_lines(path):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LocatedRecord(path, number, {}, example).error(f"is no JSON: {error}") from error
        if not isinstance(value, dict):
            raise LocatedRecord(path, number, {}, example).error(f"is a JSON {type(value).__name__}, not an object")
        yield LocatedRecord(path, number, value, example)
