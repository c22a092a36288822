"""A site, exported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.export.site import export


@pytest.fixture(scope="session")
def site(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of `folder`; tests leave it as it is."""
    out = tmp_path_factory.mktemp("export") / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        export(folder, out)
    return out
