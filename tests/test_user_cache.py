"""A folder that is made once a machine: taken from the cache where that is whole, made anew where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.user_cache import fill_from_cache


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Writes a model and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, out: Path) -> None:
        self.count += 1
        (out / "0_Static").mkdir()
        (out / "0_Static" / "model.bin").write_bytes(b"weights")
        (out / "config.json").write_text("{}")


def filled(home: Path, key: str, make: Maker) -> dict[str, bytes]:
    home.mkdir()
    fill_from_cache("models", key, home, make)
    return {file.relative_to(home).as_posix(): file.read_bytes() for file in home.rglob("*") if file.is_file()}


WHOLE = {"0_Static/model.bin": b"weights", "config.json": b"{}"}


def test_it_is_made_once_a_key(cache: Path, tmp_path: Path) -> None:
    make = Maker()
    assert [filled(tmp_path / name, "k", make) for name in "ab"] == [WHOLE, WHOLE] and make.count == 1
    filled(tmp_path / "c", "other", make)
    assert make.count == 2


@pytest.mark.parametrize("harm", ["changed", "missing", "further", "no hashes"])
def test_what_is_not_whole_is_made_anew(cache: Path, tmp_path: Path, harm: str) -> None:
    make = Maker()
    filled(tmp_path / "a", "k", make)
    place = cache / "models" / "k"
    if harm == "changed":
        (place / "0_Static" / "model.bin").write_bytes(b"Weights")
    elif harm == "missing":
        (place / "config.json").unlink()
    elif harm == "further":
        (place / "more.json").write_text("{}")
    else:
        (place / "hashes.json").write_text("{")
    assert filled(tmp_path / "b", "k", make) == WHOLE and make.count == 2
    assert filled(tmp_path / "c", "k", make) == WHOLE and make.count == 2


def test_a_cache_that_cannot_be_written_costs_time_only(cache: Path, tmp_path: Path) -> None:
    cache.write_text("a file where the folder should be")
    make = Maker()
    assert [filled(tmp_path / name, "k", make) for name in "ab"] == [WHOLE, WHOLE] and make.count == 2
