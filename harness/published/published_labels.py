"""The labels in a result folder: a stranger's file, looked at before it is read."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError
from harness.labelling.labels.label_files import read_run_labels
from harness.labelling.labels.run_labels import LabelsOfRun
from harness.published.result_folder import LABELS
from harness.published.untrusted_run import check_run_file
from harness.text import plain

_LARGEST = 1 << 26
"""Bytes after decompression above which a file is not read."""


def read_labels(folder: Path) -> LabelsOfRun | None:
    """The labels in a result folder; None where it was published without. Raises UserError for a link, a large or
    malformed file."""
    path = folder / LABELS
    if not path.is_symlink() and not path.exists():
        return None
    try:
        check_run_file(path, _LARGEST)
    except (OSError, ValueError) as error:
        raise UserError(plain(str(error)), file=path) from error
    return read_run_labels(path)
