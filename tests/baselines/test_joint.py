"""Joint training of retriever and ranker: the loss, whom its gradient reaches, resuming, and the lists it learns
from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from baselines._shared.hybrid_lists import denoised
from baselines._shared.joint import JointLoss, JointRanker, TrainJointly
from harness.errors import UserError
from harness.losses.loss import Target
from harness.losses.spec import LossSpec
from harness.models import ModelFiles, folder_hash, resolve_model
from harness.students.architecture import Architecture
from harness.students.static_encoder import StaticStudent
from harness.training import checkpoint
from harness.training.train_settings import TrainSettings
from harness.training_lists.training_list import TrainingList, read_lists
from tests.baselines.small import Swept
from tests.students.conftest import Bench, GivenLists, TinyCorpus, topic_lists

pytestmark = pytest.mark.models


class Cut(Exception):
    """The power goes off."""


class CutBench(Bench):
    """A bench whose power goes off behind step 5."""

    def progress(self, done: int, total: int, unit: str = "") -> None:
        super().progress(done, total, unit)
        if (done, unit) == (5, "steps"):
            raise Cut


def students(*parts: int) -> tuple[torch.Tensor, Target]:
    """Scores of both over two lists of three and two documents, gold first."""
    scores = torch.randn(
        2, 6, generator=torch.Generator().manual_seed(sum(parts)), dtype=torch.float64
    ).requires_grad_()
    mask = torch.tensor([[True, True, True], [True, True, False]])
    first = torch.tensor([[True, False, False], [True, False, False]])
    return scores, Target(mask, torch.tensor([1, 1]), positives=first)


@pytest.mark.parametrize("mutual", [True, False])
def test_the_loss_is_the_papers_and_its_gradient_reaches_whom_it_should(mutual: bool) -> None:
    scores, target = students(3)
    loss = JointLoss(LossSpec.of("kl").loss(0.5), LossSpec.of("infonce").loss(), mutual)
    found = loss(scores, target)
    (gradient,) = torch.autograd.grad(found, scores)
    expected, wanted = torch.zeros((), dtype=torch.float64), scores.detach().clone().requires_grad_()
    for row, size in enumerate((3, 2)):
        retriever, ranker = (wanted[row, :size] / 0.5).log_softmax(0), wanted[row, 3 : 3 + size].log_softmax(0)
        told = ranker if mutual else ranker.detach()
        expected = (
            expected + (torch.nn.functional.kl_div(retriever, told, log_target=True, reduction="sum") - ranker[0]) / 2
        )
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, wanted)[0])
    assert gradient[:, :3].abs().sum() > 0 and (gradient[1, 2], gradient[1, 5]) == (0, 0)


def test_without_mutual_the_ranker_learns_as_if_it_were_alone() -> None:
    scores, target = students(4)
    (joint,) = torch.autograd.grad(
        JointLoss(LossSpec.of("kl").loss(), LossSpec.of("infonce").loss(), False)(scores, target), scores
    )
    (alone,) = torch.autograd.grad(LossSpec.of("infonce").loss()(scores[:, 3:], target), scores)
    torch.testing.assert_close(joint[:, 3:], alone[:, 3:])


def test_denoised_lists_lose_what_scores_as_high_as_gold() -> None:
    one = TrainingList("q", "text", ("g", "a", "b", "c"), 1, (2.0, 3.0, 2.0, 1.0), ("g",))
    found = denoised(one)
    assert found is not None and found.documents == ("g", "c") and found.scores is None and found.positives == ("g",)
    assert denoised(replace(one, scores=(4.0, 3.0, 2.0, 1.0))) is None, "nothing is lost"
    assert denoised(replace(one, scores=(0.0, 3.0, 2.0, 1.0))) is None, "nothing is left"


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    stage = StaticStudent(encoder=resolve_model("bundled:bert-tiny"))
    return ModelFiles("static", Bench(tmp_path_factory.mktemp("static")).path(stage))


def jointly(
    start: ModelFiles, architecture: Architecture = "bi-encoder", ranker_loss: str | dict[str, Any] = "infonce"
) -> TrainJointly:
    return TrainJointly(
        start=start,
        ranker=resolve_model("bundled:bert-tiny"),
        how=JointRanker(architecture=architecture, learning_rate=1e-3),
        lists=GivenLists(lists=topic_lists()),
        corpus=TinyCorpus(),
        retriever_loss=LossSpec.of("kl"),
        ranker_loss=LossSpec.of(ranker_loss),
        mutual=True,
        train=TrainSettings(epochs=4, batch=2, learning_rate=1e-2),
        max_length=32,
    )


def weights(folder: Path) -> bytes:
    (file,) = folder.rglob("*.safetensors")
    return file.read_bytes()


@pytest.mark.parametrize("architecture", ["bi-encoder", "cross-encoder"])
def test_both_learn_and_a_training_that_is_cut_ends_in_the_same_bits(
    architecture: Architecture, static: ModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker = folder_hash(resolve_model("bundled:bert-tiny").path)
    stage, roots = jointly(static, architecture=architecture), [tmp_path / name for name in ("whole", "cut", "again")]
    for root in roots:
        root.mkdir()
    wanted = weights(Bench(roots[0], cache=tmp_path / "other").path(stage))
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "_SHARE", 1e9)
    with pytest.raises(Cut):
        CutBench(roots[1], cache=tmp_path / "cache").path(stage)
    again = Bench(roots[2], cache=tmp_path / "cache")
    assert weights(again.path(stage)) == wanted != weights(static.path)
    assert again.told[0][0] == 6
    assert folder_hash(resolve_model("bundled:bert-tiny").path) == ranker


def test_losses_that_see_other_lists_are_refused(static: ModelFiles, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sees other lists"):
        Bench(tmp_path).path(jointly(static, ranker_loss={"name": "infonce", "in_batch": True}))


def test_hybrid_lists_hold_every_list_and_denoised_copies(all_methods: Swept) -> None:
    scored = {one.query: one for one in read_lists(all_methods.made("rocketqa-v2", "scored-lists"))}
    hybrid = read_lists(all_methods.made("rocketqa-v2", "hybrid-lists"))
    copies = [found for one in scored.values() if (found := denoised(one)) is not None]
    assert len(hybrid) == len(scored) + len(copies)
    assert [one for one in hybrid if one.documents != scored[one.query].documents] == copies
    assert all(one.documents[0] in one.positives and one.scores is None for one in hybrid)
