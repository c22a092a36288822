"""The run file of a stranger's folder: looked at before anything reads it."""

from __future__ import annotations

import zlib
from pathlib import Path

from harness.published.result_folder import check_file

_BLOCK = 1 << 20


def check_run_file(path: Path, most: int) -> None:
    """Raises ValueError unless `path` is one gzip member and nothing else, of at most `most` bytes unpacked, and
    OSError for a link.

    The gzip module skips padding after a member byte by byte, for as long as a sparse file is.
    """
    check_file(path)
    unpacker, size = zlib.decompressobj(wbits=31), 0
    with path.open("rb") as stream:
        try:
            while not unpacker.eof and (block := unpacker.unconsumed_tail or stream.read(_BLOCK)):
                size += len(unpacker.decompress(block, _BLOCK))
                if size > most:
                    raise ValueError(f"{path.name} unpacks to more than {most} bytes")
        except zlib.error as error:
            raise ValueError(f"{path.name} is no complete gzip file: {error}") from error
        if not unpacker.eof:
            raise ValueError(f"{path.name} is no complete gzip file")
        if unpacker.unused_data or stream.read(1):
            raise ValueError(f"{path.name} goes on after the end of its gzip member")
