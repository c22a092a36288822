"""The lines of a file of labels: unzipped where they are zipped, hashed, parsed as JSON, and every fault told with its
line."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from pydantic import BaseModel

from harness.errors import UserError
from harness.text import plain
from harness.validation import validated

M = TypeVar("M", bound=BaseModel)

LONGEST = 1 << 26
"""Bytes of a line that is still read; a longer one is none of ours."""
_AGAIN = "copy the file again, or export it again where it came from"


class LabelLines:
    """JSON objects of a file, plain or gzipped, one a line; it is opened by the first `next`. All errors are
    UserError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = ""
        """sha256 in hex of all lines before the last one read."""
        self._number = 0
        self._digest = hashlib.sha256()
        self._streams: tuple[IO[bytes], IO[bytes]] | None = None

    @property
    def position(self) -> int:
        """How far into the file on disk the reading is."""
        return self._streams[0].tell() if self._streams is not None else 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All objects that are left."""
        return self.starting(b"")

    def starting(self, beginning: bytes) -> Iterator[dict[str, Any]]:
        """The objects that are left whose line begins so. Blank lines are passed over."""
        while line := self._read():
            self.before = self._digest.hexdigest()
            self._digest.update(line)
            if len(line) > LONGEST:
                raise self.fault("the line is far too long")
            if line.startswith(beginning) and not line.isspace():
                yield self._parsed(line)

    def next(self) -> dict[str, Any]:
        """The next object, which must be there."""
        value = next(iter(self), None)
        if value is None:
            raise self.fault("the file ends early")
        return value

    def expect_end(self) -> None:
        """Raise when there is another line."""
        if self._read():
            raise self.fault("there is more after the end of the labels")

    def fault(self, message: str, remedy: str = _AGAIN) -> UserError:
        """What is wrong with the last line read."""
        return UserError(plain(message), file=self.path, line=self._number, remedy=remedy)

    def as_model(self, model: type[M], value: Any, what: str) -> M:
        """`value`, the last line read, as a `model`. Raises UserErrors with all that is wrong."""
        return validated(model, value, what=what, file=self.path, line=self._number)

    @contextmanager
    def checked(self, what: str = "damaged") -> Iterator[None]:
        """Turn what parsing raises into a fault of the last line read."""
        try:
            yield
        except KeyError as error:
            raise self.fault(f"{what}: {error} is missing") from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise self.fault(f"{what}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        for stream in self._streams or ():
            stream.close()
        self._streams = None

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            value = json.loads(line, parse_constant=_refused)
            if b"\\u" in line:
                # An escaped half of a surrogate pair is JSON but no text: nothing could store it.
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise self.fault(f"damaged: {error}" if line.endswith(b"\n") else "the file ends early") from error
        if not isinstance(value, dict):
            raise self.fault("no line of a file of labels")
        return value

    def _read(self) -> bytes:
        self._number += 1
        try:
            _, lines = self._streams = self._streams or self._opened()
            return lines.readline(LONGEST + 1)
        except EOFError as error:
            raise self.fault("cannot be read: the file ends early") from error
        except FileNotFoundError as error:
            message, remedy = "cannot be read: there is no such file of labels", "harness labels export writes one"
            raise UserError(message, file=self.path, remedy=remedy) from error
        except (OSError, zlib.error) as error:
            raise self.fault(f"cannot be read: {error}") from error

    def _opened(self) -> tuple[IO[bytes], IO[bytes]]:
        raw = self.path.open("rb")
        zipped = raw.peek(2)[:2] == b"\x1f\x8b"
        return raw, cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if zipped else raw


def json_line(value: Mapping[str, Any], errors: str = "strict") -> bytes:
    """An object as a line of a file of labels; equal objects give equal bytes. `errors` is that of `str.encode`."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(errors=errors) + b"\n"


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
