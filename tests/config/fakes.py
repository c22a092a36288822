"""A small world of plug-ins for sweep files: what is installed changes, these do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from harness.collections.collection import CollectionSource, SourceSettings
from harness.config.registries import Registries
from harness.errors import UserError, did_you_mean
from harness.evaluation.metrics.lookup import metric
from harness.labelling.labels.teacher import Teacher
from harness.losses.loss import Loss
from harness.method import Axis, Category, Method, RetrieverMethod
from harness.plugins import Plugin, Settings
from harness.students.types.bi_encoder import BiEncoderType
from harness.students.types.late_interaction import LateInteraction


class RankerParts(Settings):
    """Settings inside settings."""

    warm_up: Literal["none", "titles"] = "none"
    layers: int = 6
    epochs: int = 2


class OursSettings(Settings):
    """Of every shape that a method's settings may have."""

    ranker_loss: str | dict[str, Any] | None = "listmle"
    retriever_loss: str | dict[str, Any] = "kl"
    temperature: float = Field(1.0, gt=0, description="of the softmax")
    distil_queries: int | None = None
    negatives: list[int] = Field([1, 2], description="a setting that is a list itself")
    mixture: tuple[float, ...] | None = None
    low: float = 0.0
    high: float = 1.0
    learning_rate: float | None = Field(None, gt=0)
    ranker: RankerParts = RankerParts()

    @model_validator(mode="after")
    def _ordered(self) -> OursSettings:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class Ours(RetrieverMethod):
    name = "intermediate"
    summary = "order to ranker to retriever"
    needs = ("order",)
    category: ClassVar[Category] = "ours"
    sees = ("order",)
    Settings = OursSettings


class DirectSettings(Settings):
    retriever_loss: str | dict[str, Any] = "listmle"
    epochs: int = 3
    learning_rate: float | None = Field(None, gt=0)


class Direct(RetrieverMethod):
    name = "direct"
    summary = "order to retriever"
    needs = ("order",)
    category: ClassVar[Category] = "baseline"
    sees = ("order",)
    Settings = DirectSettings


class WhiteBox(RetrieverMethod):
    name = "replug-lsr"
    summary = "likelihoods to retriever"
    needs = ("likelihoods",)
    category: ClassVar[Category] = "baseline"
    sees = ("likelihoods",)


class Written(RetrieverMethod):
    name = "synthetic-queries"
    summary = "text to retriever"
    needs = ("text",)
    category: ClassVar[Category] = "baseline"
    sees = ("text",)


class CrossAttended(RetrieverMethod):
    name = "fid-kd"
    summary = "cross-attention to retriever"
    needs = ("cross-attention",)
    category: ClassVar[Category] = "baseline"
    sees = ("cross-attention",)


class SupervisedSettings(Settings):
    margin: float = Field(description="required")
    learning_rate: float | None = Field(None, gt=0)


class Supervised(RetrieverMethod):
    name = "supervised"
    summary = "gold labels to retriever"
    needs = ("gold labels",)
    category: ClassVar[Category] = "baseline"
    sees = ("gold labels",)
    axes: ClassVar[frozenset[Axis]] = frozenset({"budget", "resample", "seed"})
    Settings = SupervisedSettings


class ZeroShot(RetrieverMethod):
    name = "zero-shot"
    summary = "no training"
    category: ClassVar[Category] = "reference"
    sees = ("nothing",)
    axes: ClassVar[frozenset[Axis]] = frozenset()


class BM25(Method):
    name = "bm25"
    summary = "words"
    category: ClassVar[Category] = "reference"
    sees = ("nothing",)
    axes: ClassVar[frozenset[Axis]] = frozenset()


class Ask(Settings):
    strategy: Literal["listwise", "setwise", "pairwise"] = "listwise"
    shuffle: bool = False


class LLMSettings(Settings):
    model: str
    ask: Ask = Ask()
    prices: list[float] = Field([0.0, 0.0])


class LLM(Teacher):
    name = "litellm"
    summary = "an LLM behind an API"
    gives = ("order", "text")
    Settings = LLMSettings


class LikelihoodSettings(Settings):
    model: str = "bundled:smollm2-135m"
    batch: int = 8


class Likelihood(Teacher):
    name = "likelihood"
    summary = "query likelihood"
    box = "white"
    gives = ("order", "likelihoods")
    Settings = LikelihoodSettings


class Oracle(Teacher):
    name = "oracle"
    summary = "the judgments' order"


class ListMLE(Loss):
    name = "listmle"
    summary = "likelihood of the order"
    formula = "-log P(order)"
    role = "both"


class RankNetSettings(Settings):
    sigma: float = 1.0


class RankNet(Loss):
    name = "ranknet"
    summary = "pairs"
    formula = "log(1 + exp(-d))"
    role = "ranker"
    Settings = RankNetSettings


class KL(Loss):
    name = "kl"
    summary = "divergence"
    formula = "KL(p, q)"
    role = "retriever"


class EngineSettings(Settings):
    k1: float = Field(0.9, ge=0)
    b: float = Field(0.4, ge=0, le=1)


class Engine(Plugin):
    name = "bm25s"
    summary = "bm25s"
    Settings = EngineSettings


class Lucene(Engine):
    name = "lucene"
    summary = "Lucene"


class FolderSettings(SourceSettings):
    folder: str


class Folder(CollectionSource):
    name = "folder"
    summary = "a folder"
    Settings = FolderSettings


class Semanlink(CollectionSource):
    name = "semanlink"
    summary = "tags"


class BeirSettings(SourceSettings):
    beir: str


class Beir(CollectionSource):
    name = "beir"
    summary = "BEIR by name"
    Settings = BeirSettings


SOURCES: dict[str, type[CollectionSource]] = {source.name: source for source in (Folder, Semanlink, Beir)}


def collection(spec: str | Mapping[str, Any], _base: Path) -> None:
    """Refuses names that are none, as harness.collections does."""
    name = spec.split("/")[0] if isinstance(spec, str) else next(iter(spec), "")
    if name not in SOURCES:
        raise UserError(f"unknown collection '{name}'", remedy=did_you_mean(name, SOURCES))


def _named(*classes: type[Any]) -> dict[str, type[Any]]:
    return {found.name: found for found in classes}


REGISTRIES = Registries(
    students=_named(BiEncoderType, LateInteraction),
    methods=_named(Ours, Direct, WhiteBox, Written, CrossAttended, Supervised, ZeroShot, BM25),
    teachers=_named(LLM, Likelihood, Oracle),
    losses=_named(ListMLE, RankNet, KL),
    engines=_named(Engine, Lucene),
    collections=SOURCES,
    collection=collection,
    metric=metric,
)
