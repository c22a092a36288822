"""Token ids of a corpus for static encoders, whose encoding is little else than tokenising: kept on disk, so that many
checkpoints of one tokenizer tokenise a corpus once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from harness._lazy import lazy
from harness.files import atomic_folder, sha256

if TYPE_CHECKING:
    import torch
else:
    torch = lazy("torch")

Features = dict[str, Any]
Tokenise = Callable[[int, int], Features]
"""What a model reads of the texts at positions start to stop."""

_IDS, _STARTS, _HASHES = "ids.bin", "starts.npy", "hashes.json"


def token_ids_folder(cache: Path, tokenizer: str, texts: str, prompt: str | None) -> Path:
    """Where the ids lie that a `tokenizer` (its JSON, truncation included) makes of the texts with that identity."""
    key = json.dumps([tokenizer, texts, prompt, version("tokenizers")])
    return cache / "token-ids" / hashlib.sha256(key.encode()).hexdigest()


@contextmanager
def cached_token_ids(folder: Path, tokenise: Tokenise) -> Iterator[Tokenise]:
    """`tokenise` of a static encoder, from `folder` where that holds its ids whole. Otherwise what it makes of texts
    asked for one block after another is kept there, once the block ends well.

    A cache that is damaged, or that cannot be read or made, costs time only.
    """
    if (kept := _read(folder)) is not None:
        yield kept
        return
    with ExitStack() as stack:
        draft = _draft(folder, stack)
        if draft is None:
            yield tokenise
            return
        with (draft / _IDS).open("wb") as stream:
            writer = _Writer(tokenise, stream)
            yield writer
        writer.finish(draft)


def _draft(folder: Path, stack: ExitStack) -> Path | None:
    """What takes the place of `folder` when `stack` closes; None where nothing can be made there."""
    with suppress(OSError):
        return stack.enter_context(atomic_folder(folder))
    return None


class _Writer:
    """Tokenises, and writes down what comes out."""

    def __init__(self, tokenise: Tokenise, stream: BinaryIO) -> None:
        self._tokenise, self._stream = tokenise, stream
        self._lengths: list[np.ndarray] = []

    def __call__(self, start: int, stop: int) -> Features:
        found = self._tokenise(start, stop)
        ids, offsets = found["input_ids"].numpy(), found["offsets"].numpy()
        ids.astype(np.int32).tofile(self._stream)
        self._lengths.append(np.diff(offsets, append=len(ids)))
        return found

    def finish(self, draft: Path) -> None:
        """Write the rest, once the stream is closed."""
        np.save(draft / _STARTS, np.concatenate([[0], *self._lengths]).cumsum())
        (draft / _HASHES).write_text(json.dumps({name: sha256(draft / name) for name in (_IDS, _STARTS)}))


def _read(folder: Path) -> Tokenise | None:
    """What `_Writer` kept, memory-mapped; None where it is not there whole."""
    with suppress(OSError, ValueError):
        hashes = json.loads((folder / _HASHES).read_text())
        if all(sha256(folder / name) == hashes[name] for name in (_IDS, _STARTS)):
            starts: np.ndarray = np.load(folder / _STARTS)
            ids = np.memmap(folder / _IDS, np.int32, "r") if starts[-1] else np.empty(0, np.int32)
            return lambda start, stop: _features(ids, starts[start : stop + 1])
    return None


def _features(ids: np.ndarray, starts: np.ndarray) -> Features:
    return {
        "input_ids": torch.from_numpy(ids[starts[0] : starts[-1]].astype(np.int64)),
        "offsets": torch.from_numpy(starts[:-1] - starts[0]),
    }
