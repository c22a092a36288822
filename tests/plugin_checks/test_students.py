"""The types of students that come along keep their contracts, and every broken contract is caught by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.plugin_checks.run_checks import check
from harness.plugins import plugins
from harness.retrieval.student_type import StudentType
from harness.retrieval.trec_order import Hits
from harness.students.retriever import BiEncoder
from harness.students.types.bi_encoder import BiEncoderType

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PRECISION", "fp32")


@pytest.mark.parametrize("name", sorted(plugins(StudentType)))
def test_ours_keep_theirs(name: str) -> None:
    report = check("student", plugins(StudentType)[name])
    assert report.ok, str(report)


class Own(BiEncoderType):
    """A bi-encoder that the checks take for a stranger's; the others here each spoil one thing of it."""

    name = "own"

    def load(self, folder: Path) -> Any:
        return BiEncoder.load(folder)


class Silent(Own):
    """Says nothing of its model."""

    needs = ()


class Unloaded(Own):
    def load(self, folder: Path) -> Any:
        return folder


class Endless(BiEncoder):
    def embed(self, features: Any) -> Any:
        return super().embed(features) * float("inf")


class Infinite(Own):
    def load(self, folder: Path) -> Any:
        return Endless.load(folder)


class Backward(BiEncoder):
    def embed(self, features: Any) -> Any:
        return super().embed(features).detach().requires_grad_()


class Stuck(Own):
    def load(self, folder: Path) -> Any:
        return Backward.load(folder)


class Forgetful(BiEncoder):
    def save(self, folder: Path) -> None:
        with torch.no_grad():
            first = next(iter(self.model.parameters()))
            first.add_(torch.linspace(-1, 1, first.numel()).view_as(first))
        super().save(folder)


class Lossy(Own):
    def load(self, folder: Path) -> Any:
        return Forgetful.load(folder)


class Turned(Own):
    """Finds the documents that it scores lowest."""

    def search(self, *given: Any) -> Iterator[Hits]:
        *rest, depth, progress = given
        for hits in super().search(*rest, 12, progress):
            yield Hits(hits.rows[::-1][:depth].copy(), hits.scores[:depth])


class Untied(Own):
    """Gives a document's place a share in its score."""

    def search(self, *given: Any) -> Iterator[Hits]:
        for hits in super().search(*given):
            scores = (hits.scores + np.float32(1e-6) * hits.rows).astype(np.float32)
            order = np.argsort(-scores, kind="stable")
            yield Hits(hits.rows[order], scores[order])


class Lucky(BiEncoder):
    drawn = iter(range(10_000))

    def optimisers(self, peak: float, decay: float) -> Any:
        return super().optimisers(peak * (1 + next(self.drawn) / 10), decay)


class Random(Own):
    def load(self, folder: Path) -> Any:
        return Lucky.load(folder)


@pytest.mark.parametrize(
    ("kind", "contract"),
    [
        (Silent, "describes-itself"),
        (Unloaded, "loads"),
        (Infinite, "scores"),
        (Stuck, "trains"),
        (Lossy, "saves"),
        (Turned, "searches"),
        (Untied, "ties"),
        (Random, "deterministic"),
    ],
)
def test_a_broken_contract_is_caught_by_name(kind: type[StudentType], contract: str) -> None:
    assert contract in check("student", kind).broken


def test_a_type_with_a_way_of_its_own_is_not_taken_for_a_bi_encoder() -> None:
    assert BiEncoderType.dense and plugins(StudentType)["static"].dense and not Own.dense and not Silent.dense
