"""The control whose labels say nothing: the retriever learns random documents of the corpus in random order.

Same number of lists, same length, same loss and steps as `direct`. What it gains over zero-shot comes from being
trained at all; a control that beats zero-shot significantly is flagged on the board.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from harness.losses.spec import LossChoice
from harness.method import Axis, MethodInputs, RetrieverMethod
from harness.stage import Stage
from harness.training.student_settings import StudentSettings
from harness.training_lists.order_lists import RandomLists


class RandomTrainingSettings(StudentSettings):
    """Settings of the one stage."""

    retriever_loss: LossChoice = Field("listmle", description="a loss over the random order")


class RandomTraining(RetrieverMethod):
    """A random order of random documents trains the retriever."""

    name = "random-training"
    summary = "a random order of random documents trains the retriever"
    category = "control"
    axes: ClassVar[frozenset[Axis]] = frozenset({"budget", "resample", "seed"})
    settings: RandomTrainingSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        lists = RandomLists(
            subset=inputs.subset(), corpus=inputs.collection.corpus, depth=inputs.list_depth, seed=inputs.seed or 0
        )
        return inputs.train_retriever(lists, self.settings.retriever_loss, self.settings)
