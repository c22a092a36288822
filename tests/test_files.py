"""Files that are there whole or not at all, whoever writes them and whoever is killed, and caches that cost nothing but
time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.files import atomic_file, build_once, leftovers, remember

ROOT = Path(__file__).parents[1]
WRITE = """
import sys, time
from pathlib import Path
from harness.files import atomic_file
with atomic_file(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("half", flush=True)
    time.sleep(60)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("fsync", [True, False])
def test_a_file_takes_its_place_with_the_rights_of_any_other(tmp_path: Path, fsync: bool) -> None:
    file = tmp_path / "deep" / "file.txt"
    for text in ("one", "two"):
        with atomic_file(file, fsync=fsync) as temporary:
            temporary.write_text(text)
        assert file.read_text() == text and names(file.parent) == ["file.txt"]
    (plain := tmp_path / "plain").write_text("")
    assert file.stat().st_mode == plain.stat().st_mode


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_file(file) as temporary:
        temporary.write_text("new")
        raise KeyboardInterrupt
    assert file.read_text() == "old" and names(tmp_path) == ["file"]


def test_threads_that_write_one_file_leave_one_of_their_texts(tmp_path: Path) -> None:
    file, start = tmp_path / "file", threading.Barrier(8)

    def write(number: int) -> None:
        for _ in range(20):
            start.wait()
            with atomic_file(file, fsync=False) as temporary:
                for _ in range(50):
                    with temporary.open("a") as stream:
                        stream.write(str(number))
            assert len(set(file.read_text())) == 1 and len(file.read_text()) == 50

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert names(tmp_path) == ["file"]


def test_a_writer_that_is_killed_leaves_the_old_file_whole(tmp_path: Path) -> None:
    file = tmp_path / "a [file].txt"
    file.write_text("old")
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "half\n"
        writer.send_signal(signal.SIGKILL)
    assert file.read_text() == "old"
    assert [path.read_text() for path in leftovers(file)] == ["half"]


def test_a_folder_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("")
    with pytest.raises(OSError, match="no folder"), atomic_file(tmp_path / "no folder" / "file"):
        pytest.fail("nothing can be written there")


def test_a_folder_is_built_once_though_many_want_it(tmp_path: Path) -> None:
    place, built = tmp_path / "deep" / "place", []
    (tmp_path / "deep" / ".place.new-killed" / "inside").mkdir(parents=True)

    def build(folder: Path) -> None:
        built.append(folder)
        time.sleep(0.1)
        (folder / "inside").mkdir()
        (folder / "inside" / "file").write_text("whole")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: build_once(place, build), range(4)))
    assert len(built) == 1 and (place / "inside" / "file").read_text() == "whole"
    assert names(place.parent) == [".place.lock", "place"]


def test_a_folder_whose_building_fails_is_not_there(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("")
        raise ValueError("out of luck")

    with pytest.raises(ValueError, match="out of luck"):
        build_once(tmp_path / "place", build)
    assert names(tmp_path) == [".place.lock"]


class Sum:
    """Counts how often it is computed."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> list[float]:
        self.times += 1
        return [0.1, 0.2 + self.times]


def test_what_is_remembered_is_not_computed_again_but_for_another_key(tmp_path: Path) -> None:
    compute, file = Sum(), tmp_path / "deep" / "cache"
    assert remember(file, "a", compute) == remember(file, "a", compute) == [0.1, 1.2]
    assert compute.times == 1
    assert remember(file, "b", compute) == [0.1, 2.2] == remember(file, "b", compute)
    assert names(file.parent) == ["cache"]


@pytest.mark.parametrize("damage", [b"", b"\n", b"[0.1, 1.2]", b"\xff\xfe\n[1]", None])
def test_a_damaged_cache_is_computed_again(tmp_path: Path, damage: bytes | None) -> None:
    compute, file = Sum(), tmp_path / "cache"
    remember(file, "a", compute)
    file.write_bytes(file.read_bytes().replace(b"0.1", b"0.7") if damage is None else damage)
    assert remember(file, "a", compute) == remember(file, "a", compute) == [0.1, 2.2]


def test_a_cache_that_cannot_be_written_or_is_not_understood_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("")
    compute = Sum()
    assert [remember(tmp_path / "no folder" / "cache", "a", compute) for _ in range(2)] == [[0.1, 1.2], [0.1, 2.2]]
    remember(tmp_path / "cache", "a", lambda: "no number")
    assert remember(tmp_path / "cache", "a", lambda: 1.5, load=lambda text: float(json.loads(text))) == 1.5


def test_what_computing_raises_is_raised(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="out of luck"):
        remember(tmp_path / "cache", "a", lambda: os.open(tmp_path / "out of luck", os.O_RDONLY))
    assert names(tmp_path) == []
