"""Repositories of the Hugging Face hub: one revision, and of it the files that a model is made of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness._lazy import lazy
from harness.errors import UserError
from harness.pretrained.model_weights import LEFT_OUT, NOT_QUANTISED, chosen_gguf, counts, require_weights

httpx = lazy("httpx")


def download(name: str, others: str) -> tuple[Path, str | None]:
    """The folder of ``owner/name`` or ``owner/name@revision``, fetched when the hub is allowed, and the GGUF file in it
    that is the model, where it has no safetensors. `others` are names to offer instead.

    Raises UserError for a repository that is not to be had, or that holds no weights but pickles.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    repository, _, revision = name.partition("@")
    files: list[str] | None = None
    try:
        # Where the hub cannot be asked, what was fetched before will do.
        with suppress(OfflineModeIsEnabled, httpx.TransportError):
            files = sorted(HfApi().list_repo_files(repository, revision=revision or None))
            require_weights(f"the repository '{name}'", files)
        allowed, ignored = (_wanted(files), None) if files else (NOT_QUANTISED, LEFT_OUT)
        folder = Path(
            snapshot_download(repository, revision=revision or None, allow_patterns=allowed, ignore_patterns=ignored)
        )
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        offline = " (the hub is off: HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
        raise UserError(
            f"model '{name}' is neither a folder nor to be had from the Hugging Face hub{offline}: "
            f"{type(error).__name__}",
            remedy=f"check the name{' and the revision' if revision else ''}, set HF_HUB_OFFLINE=0 to allow downloads, "
            f"or use one of {others}",
        ) from error
    found = files or sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    require_weights(f"the repository '{name}'", found)
    return folder, chosen_gguf(found)


def _wanted(files: Sequence[str]) -> list[str]:
    """The files to fetch: what counts, and of several quantisations one."""
    gguf = chosen_gguf(files)
    return [file for file in files if counts(file, files) and (not file.endswith(".gguf") or file == gguf)]
