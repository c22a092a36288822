"""Training of rankers and retrievers, on the same lists from the same start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.case import Case, Peer, Timed, faster
from benchmarks.material import MINILM, agreement, model_folder, read_lists, write_lists
from benchmarks.timing import timed

if TYPE_CHECKING:
    import torch

    from harness.students.student import Student

DEPTH, BATCH, RATE, LENGTH = 10, 16, 2e-5, 128
ROOM = 0.98
"""Share of the peer's agreement below which quality is not equal; seeds alone move it by a hundredth."""


class Training(Case):
    """What both trainings share: titles of the bundled collection with ten documents in BM25's order; one epoch."""

    material: ClassVar[str] = "lists"
    quality: ClassVar[str] = "agreement with the teacher on held-out lists (nDCG)"
    rounds: ClassVar[tuple[int, int]] = (1, 1)

    @property
    def lists(self) -> int:
        """How many are learned."""
        return 24 if self.quick else 160

    def prepare(self) -> None:
        write_lists(self.folder, self.lists, 10 if self.quick else 60, DEPTH)

    def _fit(self, load: Callable[[], Student], loss: str) -> tuple[float, Student]:
        """Our loop, the tokenising with it."""
        from harness.device import deterministic
        from harness.losses.spec import LossSpec
        from harness.training.train_settings import TrainSettings
        from harness.training.trainer import Trainer
        from harness.training_lists.list_dataset import ListDataset
        from harness.training_lists.training_list import TrainingList

        given = read_lists(self.folder, "taught")
        texts = {
            f"{number} {place}": text for number, one in enumerate(given) for place, text in enumerate(one["documents"])
        }
        lists = [
            TrainingList(
                str(number),
                one["query"],
                tuple(f"{number} {place}" for place in range(DEPTH)),
                DEPTH,
                tuple(one["scores"]),
            )
            for number, one in enumerate(given)
        ]
        dataset = ListDataset.of(lists, Lookup(texts))
        settings = TrainSettings(epochs=1, learning_rate=RATE, batch=BATCH)
        with deterministic(0):
            student = load()
            goal = LossSpec.of(loss).loss(student.temperature)
            seconds, _ = timed(lambda: Trainer(student, dataset, goal, settings, max_length=LENGTH).fit())
        return seconds, student

    def _arguments(self) -> dict[str, Any]:
        """The peer's, its other defaults untouched."""
        return {
            "output_dir": str(self.folder / "peer"),
            "num_train_epochs": 1,
            "per_device_train_batch_size": BATCH,
            "learning_rate": RATE,
            "warmup_steps": 0.1,
            "report_to": "none",
            "save_strategy": "no",
            "logging_strategy": "no",
            "disable_tqdm": True,
            "use_cpu": True,
        }


class RankerTraining(Training):
    """A cross-encoder by ListMLE."""

    name: ClassVar[str] = "ranker training"

    def work(self) -> str:
        return f"{self.lists} lists of {DEPTH}, 1 epoch, ListMLE, cross-encoder from all-MiniLM-L6-v2"

    def ours(self) -> Timed:
        from harness.students.cross_encoder import CrossRanker

        seconds, ranker = self._fit(lambda: CrossRanker.load(Path(model_folder(MINILM))), "listmle")
        return Timed(seconds, self._judged(ranker.model))

    def peers(self) -> tuple[Peer, ...]:
        return (Peer("CrossEncoderTrainer, ListMLELoss", self._trainer, faster(1.5, quality=ROOM)),)

    def _trainer(self) -> Timed:
        import torch
        from datasets import Dataset
        from sentence_transformers import CrossEncoder
        from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
        from sentence_transformers.cross_encoder.losses import ListMLELoss

        torch.manual_seed(0)
        model = CrossEncoder(model_folder(MINILM), num_labels=1, max_length=LENGTH, device="cpu")
        given = read_lists(self.folder, "taught")
        rows = {"query": [one["query"] for one in given], "documents": [one["documents"] for one in given]}
        data = Dataset.from_dict({**rows, "labels": [one["scores"] for one in given]})
        trainer = CrossEncoderTrainer(
            model=model,
            args=CrossEncoderTrainingArguments(**self._arguments()),
            train_dataset=data,
            loss=ListMLELoss(model),
        )
        seconds, _ = timed(trainer.train)
        return Timed(seconds, self._judged(model.eval()))

    def _judged(self, model: Any) -> float:
        held = read_lists(self.folder, "held")
        pairs = [(one["query"], document) for one in held for document in one["documents"]]
        return agreement(model.predict(pairs).reshape(len(held), DEPTH))


class RetrieverTraining(Training):
    """A bi-encoder by the KL divergence from the teacher's scores."""

    name: ClassVar[str] = "retriever training"

    def work(self) -> str:
        return f"{self.lists} lists of {DEPTH}, 1 epoch, KL, all-MiniLM-L6-v2"

    def ours(self) -> Timed:
        from harness.students.retriever import BiEncoder

        seconds, retriever = self._fit(lambda: BiEncoder.load(Path(model_folder(MINILM))), "kl")
        return Timed(seconds, self._judged(retriever.model))

    def peers(self) -> tuple[Peer, ...]:
        return (Peer("SentenceTransformerTrainer, DistillKLDivLoss", self._trainer),)

    def _trainer(self) -> Timed:
        import torch
        from datasets import Dataset
        from sentence_transformers import (
            SentenceTransformer,
            SentenceTransformerTrainer,
            SentenceTransformerTrainingArguments,
        )
        from sentence_transformers.sentence_transformer.losses import DistillKLDivLoss

        torch.manual_seed(0)
        model = SentenceTransformer(model_folder(MINILM), device="cpu")
        model.max_seq_length = LENGTH
        given = read_lists(self.folder, "taught")
        columns = {f"document {place}": [one["documents"][place] for one in given] for place in range(DEPTH)}
        data = Dataset.from_dict(
            {"query": [one["query"] for one in given], **columns, "label": [one["scores"] for one in given]}
        )
        loss = DistillKLDivLoss(model, similarity_fct=_sharp_cosine)
        trainer = SentenceTransformerTrainer(
            model=model, args=SentenceTransformerTrainingArguments(**self._arguments()), train_dataset=data, loss=loss
        )
        seconds, _ = timed(trainer.train)
        return Timed(seconds, self._judged(model.eval()))

    def _judged(self, model: Any) -> float:
        held = read_lists(self.folder, "held")
        queries = model.encode([one["query"] for one in held])
        documents = model.encode([document for one in held for document in one["documents"]]).reshape(
            len(held), DEPTH, -1
        )
        return agreement([place @ query for place, query in zip(documents, queries, strict=True)])


class Lookup:
    """Document texts by id."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    def texts(self, ids: Sequence[str]) -> list[str]:
        """In the order of `ids`."""
        return [self._known[name] for name in ids]


def _sharp_cosine(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The cosine over our default temperature of 0.05."""
    from sentence_transformers.util import pairwise_cos_sim

    cosine: torch.Tensor = pairwise_cos_sim(left, right)
    return 20.0 * cosine
