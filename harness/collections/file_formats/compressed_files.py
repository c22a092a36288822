"""Files that may be compressed: gzip, bzip2 and xz, known by their first bytes, whatever they are called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

from harness.errors import UserError


class _Compression(NamedTuple):
    name: str
    mark: bytes
    """What such a file begins with."""
    open: Callable[[Path], object]
    pack: Callable[[bytes], bytes]


def _gzipped(text: bytes) -> bytes:
    """Without a name and a time, so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as stream:
        stream.write(text)
    return buffer.getvalue()


_COMPRESSIONS: Mapping[str, _Compression] = {
    ".gz": _Compression("gzip", b"\x1f\x8b", gzip.open, _gzipped),
    ".bz2": _Compression("bzip2", b"BZh", bz2.open, bz2.compress),
    ".xz": _Compression("xz", b"\xfd7zXZ\x00", lzma.open, lzma.compress),
}
COMPRESSED = tuple(_COMPRESSIONS)
"""Endings of the names of compressed files that are read as they are."""
_BZIP2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
"""What follows "BZh" and a digit; a text may begin with these four characters."""


def bare_suffix(path: Path) -> str:
    """The ending of the name without that of a compression: ``.json`` of ``run.json.gz``."""
    return Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix


def packed(path: Path, content: bytes) -> bytes:
    """`content` as it is to be written to `path`: compressed as the name ends, the same bytes for the same content."""
    found = _COMPRESSIONS.get(path.suffix)
    return found.pack(content) if found else content


def _compression(path: Path) -> _Compression | None:
    with path.open("rb") as stream:
        head = stream.read(10)
    for found in _COMPRESSIONS.values():
        if head.startswith(found.mark) and (found.name != "bzip2" or head[4:] in _BZIP2_BLOCKS or len(head) < 10):
            return found
    return None


@contextmanager
def open_plain(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked. Raises UserError for a compressed file that is damaged or not complete, OSError
    where the system refuses."""
    found = _compression(path)
    try:
        with cast(IO[bytes], found.open(path)) if found else path.open("rb") as stream:
            yield stream
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        # What the system says of a file has a number; what a decompressor says has none.
        if found is None or getattr(error, "errno", None) is not None:
            raise
        raise UserError(
            f"is no complete {found.name} file (damaged): {error}", file=path, remedy="copy or make the file again"
        ) from error


def read_plain(path: Path) -> bytes:
    """The whole content of a file, unpacked. Raises as `open_plain`."""
    with open_plain(path) as stream:
        return stream.read()
