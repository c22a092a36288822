"""What keys say of device, precision and threads, and who computes in what."""

from __future__ import annotations

import pickle
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from harness import device
from harness.numerics.active_numerics import active_numerics, using_numerics
from harness.numerics.numerics_class import Numerics
from harness.stage import Context, Stage, digest

PUBLISHED = Numerics("cpu", "bf16", 1)


@dataclass(frozen=True, eq=False)
class Text(Stage):
    name: str
    kind: ClassVar[str] = "text"
    computes: ClassVar[bool | None] = False

    def run(self, out: Path, context: Context) -> None:
        raise AssertionError("is not run")


@dataclass(frozen=True, eq=False)
class Model(Text):
    kind: ClassVar[str] = "model"
    computes: ClassVar[bool | None] = True


@dataclass(frozen=True, eq=False)
class Unsaid(Text):
    kind: ClassVar[str] = "unsaid"
    computes: ClassVar[bool | None] = None


def made(kind: type[Text], numerics: Numerics) -> Text:
    with using_numerics(numerics):
        return kind("a")


def test_keys_of_the_published_runs_hold_no_numerics() -> None:
    stage = made(Model, PUBLISHED)
    assert stage.key == digest({"kind": "model", "version": stage.revision, "fields": {"name": "a"}})


def test_every_class_and_every_number_of_cpu_threads_has_keys_of_its_own() -> None:
    classes = [Numerics.of(name) for name in ("cpu-fp32", "cpu-bf16", "cuda-fp32", "cuda-bf16")]
    classes += [Numerics("cpu", "fp32", 4), Numerics("cpu", "bf16", 4)]
    keys = {str(one): made(Model, one).key for one in classes}
    assert len(set(keys.values())) == len(keys) == 6
    assert len({made(Text, one).key for one in classes}) == 1


def test_a_plug_in_s_stage_that_says_nothing_may_compute() -> None:
    assert made(Unsaid, PUBLISHED).computed_in == PUBLISHED and made(Text, PUBLISHED).computed_in is None
    assert made(Unsaid, PUBLISHED).key != made(Unsaid, PUBLISHED._replace(precision="fp32")).key


def test_a_stage_keeps_its_numerics_wherever_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = made(Model, Numerics.of("cuda-bf16"))
    monkeypatch.setenv("HARNESS_PRECISION", "fp32")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    moved = pickle.loads(pickle.dumps(stage))
    assert (moved.numerics, moved.key) == (stage.numerics, stage.key)
    assert str(stage.computed_in) == "cuda-bf16"


def test_what_is_made_outside_of_a_sweep_is_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PRECISION", "fp32")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert str(Model("a").computed_in) == "cpu-fp32, 3 threads"


def test_identities_of_teachers_hold_the_precision_as_they_always_did() -> None:
    assert [Numerics.of(name).teacher_mark for name in ("cpu-fp32", "cpu-bf16", "cuda-fp32", "cuda-bf16")] == [
        "fp32",
        "bf16",
        "cuda-fp32",
        "cuda-bf16",
    ]
    assert Numerics("cpu", "bf16", 2).teacher_mark == "cpu-bf16, 2 threads"
    assert PUBLISHED.at("auto") == PUBLISHED and PUBLISHED.at("fp32").teacher_mark == "fp32"


def test_the_work_at_hand_has_numerics_of_its_own_in_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda: (9, 0))
    seen: list[str] = []
    with using_numerics(PUBLISHED):
        assert (device.device().type, device.best_dtype()) == ("cpu", "bf16")
        with using_numerics(Numerics.of("cuda-fp32")):
            assert (device.device().type, device.best_dtype()) == ("cuda", "fp32")
        assert device.device().type == "cpu"
        other = threading.Thread(target=lambda: seen.append(str(active_numerics())))
        other.start()
        other.join()
    assert seen == ["None"] and active_numerics() is None
