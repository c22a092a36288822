"""Energy stands on a card where counters could be read, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

from harness.published import energy
from harness.published.energy import measured, record, total
from harness.published.result_folder import read_card
from tests.leaderboard.runs import make_card, make_run, put


class Measure(IntEnum):
    CPU_ENERGY_SYSTEM_JOULES = 8
    RAM_ENERGY_SYSTEM_JOULES = 24
    GPU_ENERGY_SYSTEM_JOULES = 33


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A tracker that gives back what a test puts into `values`, as the real one does: bytes, 'null' where there is no
    counter."""
    state = SimpleNamespace(values={}, asked=None, fails=False)

    def stop() -> dict[Measure, SimpleNamespace]:
        if state.fails:
            raise RuntimeError("An error occured: 3")
        return {measure: SimpleNamespace(value=state.values.get(measure, b"null")) for measure in Measure}

    def start_tracking(measures: list[Measure]) -> SimpleNamespace:
        state.asked = measures
        return SimpleNamespace(stop=stop)

    module = ModuleType("tirex_tracker")
    module.Measure, module.start_tracking = Measure, start_tracking  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tirex_tracker", module)
    monkeypatch.setattr(energy, "meter", lambda: "tirex-tracker==0")
    yield state


def test_joules_are_those_of_the_counters(tracker: SimpleNamespace) -> None:
    tracker.values = {Measure.CPU_ENERGY_SYSTEM_JOULES: b"12.5", Measure.GPU_ENERGY_SYSTEM_JOULES: b'"300"'}
    with measured() as joules:
        assert joules == {}
    assert joules == {"cpu": 12.5, "gpu": 300.0}
    assert tracker.asked == list(Measure)
    assert record(joules) == {"energy": {"joules": {"cpu": 12.5, "gpu": 300.0}, "by": "tirex-tracker==0"}}


@pytest.mark.parametrize(
    "values", [{}, {Measure.CPU_ENERGY_SYSTEM_JOULES: b"0"}, {Measure.CPU_ENERGY_SYSTEM_JOULES: b"nan"}]
)
def test_without_a_counter_there_is_no_number(tracker: SimpleNamespace, values: dict[Measure, bytes]) -> None:
    tracker.values = values
    with measured() as joules:
        pass
    assert joules == {}
    assert record(joules) == {}


def test_a_meter_that_fails_fails_nothing_else(tracker: SimpleNamespace) -> None:
    tracker.fails = True
    with measured() as joules:
        done = True
    assert done
    assert joules == {}


def test_an_error_of_the_work_goes_through(tracker: SimpleNamespace) -> None:
    tracker.values = {Measure.CPU_ENERGY_SYSTEM_JOULES: b"1"}
    with pytest.raises(KeyError), measured():
        raise KeyError


def test_without_the_package_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "meter", lambda: None)
    with measured() as joules:
        pass
    assert joules == {}


def test_the_energy_of_a_cell_is_the_sum_of_what_was_measured() -> None:
    known = [
        {"energy": {"joules": {"cpu": 1.5, "gpu": 2.0}, "by": "x==1"}},
        {"energy": {"joules": {"cpu": 3.0}, "by": "x==1"}},
        {"kind": "pool"},
    ]
    found = total(known)
    assert found is not None
    assert (found.joules, found.by, found.stages_measured, found.stages) == ({"cpu": 4.5, "gpu": 2.0}, "x==1", 2, 3)
    assert total([{"kind": "pool"}]) is None


def test_the_card_names_energy_only_where_it_is_known(tmp_path: Path) -> None:
    without = put(tmp_path / "a", make_card("a"), make_run(0.5))
    assert "energy" not in yaml.safe_load((without / "card.yaml").read_text())
    assert "energy" not in make_card("a").model_dump()
    known = total([{"energy": {"joules": {"cpu": 1.5}, "by": "x==1"}}])
    found = put(tmp_path / "b", make_card("a", energy=known), make_run(0.5))
    assert read_card(found).energy == known
    assert yaml.safe_load((found / "card.yaml").read_text())["energy"] == {
        "joules": {"cpu": 1.5},
        "by": "x==1",
        "stages measured": 1,
        "stages": 1,
    }
    assert read_card(found).identity() == read_card(without).identity()


def test_blocks_side_by_side_have_no_energy_of_their_own(tracker: SimpleNamespace) -> None:
    tracker.values = {Measure.CPU_ENERGY_SYSTEM_JOULES: b"12.5"}
    with measured() as first, measured() as second:
        pass
    with measured() as third:
        pass
    assert (first, second, third) == ({}, {}, {"cpu": 12.5})
