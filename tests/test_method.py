"""What a method does not say follows from what it says."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from harness import Method, MethodInputs, Settings, Stage
from harness.method import Axis, Category
from harness.training.student_settings import RankerSettings, StudentSettings, settings_as
from harness.training.train_settings import TrainSettings

ALL: frozenset[Axis] = frozenset({"teacher", "budget", "resample", "seed"})


class NoRun(Method):
    """A base without a name: what is derived for it counts for none of its kinds."""

    category = "baseline"

    def run(self, inputs: MethodInputs) -> Stage:
        raise NotImplementedError


class DepthSettings(Settings):
    depth: int = 3


class FromOrder(NoRun):
    name = "from-order"
    needs = ("order", "gold labels")
    settings: DepthSettings


class FromGold(NoRun):
    name = "from-gold"
    needs = ("gold labels",)


class FromNothing(NoRun):
    name = "from-nothing"


class Explicit(NoRun):
    name = "explicit"
    needs = ("order",)
    sees = ("order", "answers")
    axes: ClassVar[frozenset[Axis]] = frozenset({"teacher"})
    Settings = DepthSettings


class Heir(Explicit):
    """Inherits what was said, not what was derived."""

    name = "heir"
    needs = ("text",)


class HeirOfDerived(FromGold):
    name = "heir-of-derived"
    needs = ("order",)
    category: ClassVar[Category] = "control"


@pytest.mark.parametrize(
    ("method", "sees", "axes", "settings"),
    [
        (FromOrder, ("order", "gold labels"), ALL, DepthSettings),
        (FromGold, ("gold labels",), ALL - {"teacher"}, Settings),
        (FromNothing, ("nothing",), frozenset(), Settings),
        (Explicit, ("order", "answers"), {"teacher"}, DepthSettings),
        (Heir, ("order", "answers"), {"teacher"}, DepthSettings),
        (HeirOfDerived, ("order",), ALL, Settings),
    ],
)
def test_sees_axes_and_settings_follow(
    method: type[Method], sees: tuple[str, ...], axes: set[Axis], settings: type[Settings]
) -> None:
    assert (method.sees, method.axes, method.Settings) == (sees, axes, settings)


def test_settings_that_are_not_defined_yet_are_told() -> None:
    with pytest.raises(TypeError, match="the settings of Early are of 'Later', which is not defined above the class"):

        class Early(NoRun):
            name = "early"
            settings: Later  # type: ignore[name-defined]  # noqa: F821


class OwnSettings(Settings):
    """A stranger's: two fields that training knows, one of its own, and what it works out."""

    epochs: int = Field(7, ge=1)
    weight_decay: float = 0.5
    first: int = 2

    @property
    def batch(self) -> int:
        """Training knows this name, too."""
        return 2 * self.first


def test_settings_of_a_stranger_count_by_the_names_of_their_fields() -> None:
    own = OwnSettings()
    student, ranker = settings_as(StudentSettings, own), settings_as(RankerSettings, own)
    assert student == StudentSettings(epochs=7, batch=4) and ranker == RankerSettings(epochs=7, batch=4)
    assert settings_as(TrainSettings, own, student) == TrainSettings(epochs=7, weight_decay=0.5, batch=4)
    assert (
        settings_as(RankerSettings, None) == RankerSettings()
        and settings_as(TrainSettings, None, RankerSettings()).epochs == 2
    )


def test_without_settings_a_retriever_is_trained_as_a_stage_alone_trains_it() -> None:
    assert settings_as(TrainSettings, None, StudentSettings()) == TrainSettings()


def test_the_inputs_of_a_cell_are_made_of_helpers_only_a_room_above_can_build() -> None:
    with pytest.raises(TypeError, match="abstract"):
        MethodInputs(None, "test", 10, None, None, 5, None, None, 64, Path())  # type: ignore[abstract, arg-type]
