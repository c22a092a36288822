"""Defaults against what the papers and their code publish, so that none moves unseen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from baselines.gold_labels.tas_b import TASB, TASBSettings
from harness.losses.spec import LossSpec
from harness.method import Method
from harness.plugins import plugins
from harness.training.student_settings import RankerSettings
from harness.training_lists.topic_aware import TopicAwareLists
from tests.baselines.small import Swept

# T is the student's temperature, T_t the target's; None is what the student's scores call for (0.05 for a cosine).
KL = {"reduction": "batchmean", "temperature": None}
IN_BATCH = {"name": "infonce", "positive": "gold", "in_batch": True, "temperature": None}
MARGINS = {"name": "margin-mse", "pairs": "best", "temperature": None, "teacher_temperature": 1.0}
LOSSES: dict[str, dict[str, Any]] = {
    "replug-lsr": {"name": "kl", **KL, "temperature": 0.1, "teacher_temperature": 0.1},  # arXiv 2301.12652: both 0.1
    "pdist": {"name": "kl", **KL, "teacher_temperature": 0.01},  # Atlas: temperature_gold 0.01
    "loop": {"name": "kl", **KL, "teacher_temperature": 0.01},
    "adist": {"name": "kl", **KL, "teacher_temperature": 2.56},  # Atlas: 0.01, after a division by 256
    "emdr2": {"name": "emdr2", "temperature": None},
    "art": {"name": "kl", **KL, "teacher_temperature": 1.0},  # its code softens nothing
    "fid-kd": {"name": "kl", **KL, "teacher_temperature": 1.0},
    "fid-kd-reader": {"name": "kl", **KL, "teacher_temperature": 1.0},
    "rank-kl": {"name": "kl", **KL, "teacher_temperature": 0.3},  # Tamber et al.: 0.3
    "listwise-distillation": {
        "name": "sum",
        "of": [
            {"name": "kl", "reduction": "batchmean", "temperature": 0.05, "teacher_temperature": 0.3},
            {"name": "infonce", "weight": 0.1, "positive": "top", "in_batch": True, "temperature": 0.01},
        ],
    },
    "teacher-weighted-pl": {"name": "weighted-pl", "teacher_temperature": 0.3, "temperature": None},
    "teacher-first": {"name": "infonce", "positive": "top", "in_batch": True, "temperature": None},
    "syntriever": {
        "name": "partial-pl",
        "in_batch": True,
        "temperature": 0.05,
    },  # its code: cosine x 20, the batch behind each pair
    "syntriever-stages": {"name": "partial-pl", "in_batch": True, "temperature": 0.05},
    "synthetic-queries": IN_BATCH,
    "supervised": IN_BATCH | {"in_batch": False},
    "supervised-mined": IN_BATCH,  # DPR: the batch's documents beside the mined negative
    "gpl": MARGINS,
    "margin-mse": MARGINS,
    "tas-b": MARGINS,
    "rocketqa-v2": {"name": "kl", **KL, "teacher_temperature": 1.0},
    "intermediate": {"name": "kl", **KL, "temperature": 0.1, "teacher_temperature": 2.0},  # ours: tune-method.yaml
    "no-llm": {"name": "kl", **KL, "temperature": 0.1, "teacher_temperature": 2.0},
    "direct": {"name": "listmle", "temperature": None},
    "random-training": {"name": "listmle", "temperature": None},
}
OTHERS: dict[str, dict[str, Any]] = {
    "rank-kl": {"grade": "reciprocal"},  # RankGPT's ListNet: 1/rank
    "teacher-weighted-pl": {"grade": "reciprocal"},
    "listwise-distillation": {"grade": "reciprocal"},
    "syntriever": {"top": 5},  # pairs of the top 5
    "syntriever-stages": {"top": 5, "within": 1, "documents_a_label": 1},
    "synthetic-queries": {"within": 1, "documents_a_label": None},  # Promptagator: the query finds its own document
    "rankgpt": {
        "ranker": RankerSettings(
            architecture="cross-encoder", learning_rate=5e-5, epochs=3, batch=8
        ),  # one list a step, eight accumulated
        "ranker_loss": "ranknet",
        "shown": 100,
    },
    "intermediate": {
        "ranker_loss": "listmle",
        "distil_queries": None,
        "ranker": RankerSettings(architecture="projection", epochs=5, max_length=128),
        "student_candidates": 20,
    },
    "rocketqa-v2": {"ranker_loss": "infonce", "hybrid": True, "mutual": True},
    "replug-lsr": {"refresh": None},
    "art": {"mean": True},  # its code: the mean over the query's tokens
    "adist": {"measure": "norms"},  # Atlas: evalnormsum
    "fusion": {"by": "rrf", "k": 60},  # Cormack et al.: 60
    "bm25": {"k1": 0.9, "b": 0.4},  # Anserini's
    "tas-b": {"redraw": True},
}


def defaults(name: str) -> Any:
    return plugins(Method)[name].Settings()


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_of_a_method_is_the_published_one(name: str) -> None:
    spec = LossSpec.of(defaults(name).retriever_loss)
    assert spec == LossSpec.of(LOSSES[name])
    if name != "listwise-distillation":
        assert {"name": spec.name, **spec.settings.model_dump()} == LOSSES[name], "the table must name every setting"


def test_no_method_with_a_loss_is_left_out() -> None:
    own = {name: method for name, method in plugins(Method).items() if method.__module__.startswith("baselines.")}
    assert {name for name, method in own.items() if "retriever_loss" in method.Settings.model_fields} == set(LOSSES)


@pytest.mark.parametrize("name", OTHERS)
def test_other_settings_are_the_published_ones(name: str) -> None:
    settings = defaults(name)
    assert {key: getattr(settings, key) for key in OTHERS[name]} == OTHERS[name]


@pytest.mark.models
def test_tas_b_draws_other_mates_in_another_resample(all_methods: Swept) -> None:
    inputs = all_methods.cell("tas-b").inputs
    method = TASB(TASBSettings(epochs=2, cluster_size=4, mates=2))
    seeds = {resample: _seeds(method, replace(inputs, resample=resample)) for resample in (0, 1)}
    assert [len(set(drawn)) for drawn in seeds.values()] == [2, 2]
    assert not set(seeds[0]) & set(seeds[1])


def _seeds(method: TASB, inputs: Any) -> list[int]:
    from harness.pipeline.graph import closure

    return [stage.seed for stage in closure([method.run(inputs)]).values() if isinstance(stage, TopicAwareLists)]
