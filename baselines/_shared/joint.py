"""Joint training of a retriever and a ranker on the same lists, each learning from the other (RocketQAv2, arXiv
2110.07367)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from harness._lazy import lazy
from harness.collections.collection import Texts
from harness.device import deterministic
from harness.errors import UserError
from harness.losses.loss import Loss, LossSettings, Target
from harness.losses.spec import LossSpec
from harness.models import ModelFiles, model_path
from harness.plugins import Settings
from harness.stage import Context, Stage
from harness.students.ranker import load_ranker
from harness.students.retriever import BiEncoder
from harness.students.student import ListScorer, Student, freeze_layers
from harness.training.train_settings import TrainSettings
from harness.training.train_stages import check_needs, stage_checkpoint
from harness.training.trainer import Trainer
from harness.training_lists.list_dataset import Batch, ListDataset
from harness.training_lists.list_learning import ListLearning

if TYPE_CHECKING:
    import numpy as np
    import torch

    from harness.progress import Progress
else:
    torch = lazy("torch")


class JointRanker(Settings):
    """The ranker of a joint training."""

    architecture: Literal["bi-encoder", "cross-encoder"] = Field(
        "bi-encoder", description="how a query is scored with a document"
    )
    start: str | None = Field(None, description="the model it starts from; the sweep's ranker when left out")
    learning_rate: float | None = Field(None, gt=0, description="peak; left out: 2e-5")
    frozen_layers: int = Field(
        0, ge=0, description="above 0, the embeddings and this many lower layers stay as they are"
    )
    max_length: int = Field(64, ge=8, description="tokens that the ranker reads")


class JointStudent(Student):
    """Two students that score the same lists: scores (B, 2K), the retriever's before the ranker's. Each has a learning
    rate of its own."""

    def __init__(self, retriever: Student, ranker: Student, how: JointRanker) -> None:

        self.retriever, self.ranker, self._how = retriever, ranker, how
        self.model = torch.nn.ModuleDict({"retriever": retriever.model, "ranker": ranker.model})
        self.device = retriever.device
        self.temperature = retriever.temperature
        self.learning_rate = retriever.learning_rate
        self.supports_bf16 = retriever.supports_bf16 or ranker.supports_bf16

    def bind(self, dataset: ListDataset, max_length: int) -> JointScorer:
        return JointScorer(self.retriever.bind(dataset, max_length), self.ranker.bind(dataset, self._how.max_length))

    def optimisers(self, peak: float, decay: float) -> list[torch.optim.Optimizer]:
        """`peak` is the retriever's."""
        rankers = self._how.learning_rate or self.ranker.learning_rate
        return [*self.retriever.optimisers(peak, decay), *self.ranker.optimisers(rankers, decay)]

    def save(self, folder: Path) -> None:
        """The retriever; the ranker has done its work."""
        self.retriever.save(folder)


class JointScorer(ListScorer):
    """Reads a batch with both."""

    def __init__(self, retriever: ListScorer, ranker: ListScorer) -> None:
        self._parts = retriever, ranker
        self.list_tokens = retriever.list_tokens + ranker.list_tokens
        self.micro_tokens = min(
            (part.micro_tokens for part in self._parts if part.micro_tokens is not None), default=None
        )

    def __call__(self, batch: Batch) -> torch.Tensor:

        return torch.cat([part(batch) for part in self._parts], 1)

    def score_all(self, progress: Progress) -> list[np.ndarray]:
        return self._parts[0].score_all(progress)


class JointLoss(Loss):
    """L = L_retriever(s; t) + L_ranker(t): s the retriever's scores and t the ranker's, for its target the retriever's
    target too.

    Where `mutual`, the gradient of the first term reaches both; otherwise the ranker learns from the second alone.
    """

    def __init__(self, retriever: Loss, ranker: Loss, mutual: bool) -> None:
        super().__init__(LossSettings())
        self._retriever, self._ranker, self._mutual = retriever, ranker, mutual

    def __call__(self, scores: torch.Tensor, target: Target) -> torch.Tensor:
        size = target.mask.shape[1]
        student, ranker = scores[:, :size], scores[:, size:]
        taught = replace(target, scores=ranker if self._mutual else ranker.detach())
        return self._retriever(student, taught) + self._ranker(ranker, target)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainJointly(ListLearning):
    """A retriever trained together with a ranker. The artefact loads with ``SentenceTransformer(path)``; the ranker is
    not kept."""

    kind: ClassVar[str] = "retriever"
    trains: ClassVar[bool] = True

    start: ModelFiles | Stage
    ranker: ModelFiles
    how: JointRanker
    lists: Stage
    corpus: Texts
    retriever_loss: LossSpec
    ranker_loss: LossSpec
    mutual: bool
    train: TrainSettings
    seed: int = 0
    max_length: int = 128

    @property
    def label(self) -> str:
        return f"{self.retriever_loss} and {self.ranker_loss} jointly, {self.lists.label}"

    def run(self, out: Path, context: Context) -> None:

        dataset = self.dataset(out, context)
        check_needs(self.ranker_loss, dataset)
        self._check_losses()
        checkpoint = stage_checkpoint(self, context.cache)
        with deterministic(self.seed):
            retriever = BiEncoder.load(model_path(self.start, context))
            ranker = load_ranker(self.ranker.path, self.how.architecture)
            if self.how.frozen_layers:
                freeze_layers(ranker.model, self.how.frozen_layers)
            loss = JointLoss(
                self.retriever_loss.loss(retriever.temperature), self.ranker_loss.loss(ranker.temperature), self.mutual
            )
            both = JointStudent(retriever, ranker, self.how)
            trainer = Trainer(
                both,
                dataset,
                loss,
                self.train,
                max_length=self.max_length,
                seed=self.seed,
                checkpoint=checkpoint,
                progress=context.progress,
            )
            history = trainer.fit()
        both.save(out)
        history.write(out)
        checkpoint.remove()

    def _check_losses(self) -> None:
        for spec in (self.retriever_loss, self.ranker_loss):
            if spec.encoder is not None:
                raise UserError(
                    f"the loss '{spec}' reads the embeddings of an encoder, which a joint training does not show",
                    remedy="take another loss",
                )
            if spec.loss().in_batch:
                raise UserError(
                    f"the loss '{spec}' sees other lists, which a joint training does not show",
                    remedy="turn in_batch off",
                )
