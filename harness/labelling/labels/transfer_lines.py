"""The lines of a file of labels: unzipped, hashed, parsed as JSON, and every fault told with its line."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.errors import UserError

LONGEST = 1 << 26
"""Bytes of a line that is still read; a longer one is none of ours."""
_AGAIN = "copy the file again, or export it again where it came from"


class LabelLines:
    """JSON objects of a gzipped file, one a line; the file is opened by the first `next`. All errors are UserError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = ""
        """sha256 in hex of all lines before the last one read."""
        self._number = 0
        self._digest = hashlib.sha256()
        self._streams: tuple[IO[bytes], gzip.GzipFile] | None = None

    @property
    def position(self) -> int:
        """How far into the compressed file the reading is."""
        return self._streams[0].tell() if self._streams is not None else 0

    def next(self) -> dict[str, Any]:
        """The object on the next line."""
        line = self._read()
        if not line.endswith(b"\n"):
            raise self.fault("the line is far too long" if len(line) > LONGEST else "the file ends early")
        self.before = self._digest.hexdigest()
        self._digest.update(line)
        with self.checked():
            value = json.loads(line, parse_constant=_refused)
            if b"\\u" in line:
                # An escaped half of a surrogate pair is JSON but no text: nothing could store it.
                json.dumps(value, ensure_ascii=False).encode()
        if not isinstance(value, dict):
            raise self.fault("no line of a file of labels")
        return value

    def expect_end(self) -> None:
        """Raise when there is another line."""
        if self._read():
            raise self.fault("there is more after the end of the labels")

    def fault(self, message: str, remedy: str = _AGAIN) -> UserError:
        """What is wrong with the last line read."""
        return UserError(message, file=self.path, line=self._number, remedy=remedy)

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Turn what parsing raises into a fault of the last line read."""
        try:
            yield
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise self.fault(f"damaged: {error}") from error

    def close(self) -> None:
        """Close the file."""
        for stream in self._streams or ():
            stream.close()
        self._streams = None

    def _read(self) -> bytes:
        self._number += 1
        try:
            _, zipped = self._streams = self._streams or self._opened()
            return zipped.readline(LONGEST + 1)
        except EOFError as error:
            raise self.fault("the file ends early") from error
        except FileNotFoundError as error:
            raise UserError("there is no such file of labels", file=self.path, remedy="harness labels export writes one") from error
        except (OSError, zlib.error) as error:
            raise self.fault(f"cannot be read: {error}") from error

    def _opened(self) -> tuple[IO[bytes], gzip.GzipFile]:
        raw = self.path.open("rb")
        return raw, gzip.GzipFile(fileobj=raw)


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
