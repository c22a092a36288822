from __future__ import annotations

from pathlib import Path

import pytest

from harness.ledger.ledger import Ledger
from tests.baselines.small import Swept, swept, write_collection
from tests.teachers.tiny import make_model
from tests.threads import one_thread  # noqa: F401

METHODS = [
    {"method": "replug-lsr", "epochs": 1},
    {"method": "replug-lsr", "label": "replug refreshed", "epochs": 2, "refresh": 1},
    {"method": "pdist", "epochs": 1},
    {"method": "emdr2", "epochs": 1},
    {"method": "loop", "epochs": 1, "passage_tokens": 12},
    {"method": "art", "epochs": 1},
    {"method": "art", "label": "art sum", "mean": False, "prompt": "topic", "epochs": 1},
    {"method": "adist", "epochs": 1, "passage_tokens": 12},
    {"method": "adist", "label": "adist scores", "epochs": 1, "passage_tokens": 12, "measure": "scores"},
    {"method": "fid-kd-reader", "epochs": 1, "reader": {"epochs": 4, "layers": 1, "width": 32, "max_tokens": 40}},
    {"method": "rank-kl", "epochs": 1},
    {"method": "teacher-weighted-pl", "epochs": 1},
    {"method": "listwise-distillation", "epochs": 1},
    {"method": "teacher-first", "epochs": 1},
    {"method": "syntriever", "epochs": 1, "top": 3, "pairs": 2},
    {"method": "rankgpt", "ranker": {"architecture": "cross-encoder", "epochs": 1}},
    {"method": "ranker-rerank", "shown": 3},
    {"method": "teacher-rerank", "shown": 2},
    "bm25",
    "zero-shot",
    "fusion",
    {"method": "random-training", "epochs": 1},
    {"method": "supervised", "epochs": 1},
    {"method": "supervised-mined", "epochs": 1},
    {"method": "supervised-mined", "label": "mined anew", "epochs": 2, "refresh": 1},
    {"method": "margin-mse", "epochs": 1},
    {"method": "tas-b", "epochs": 1, "cluster_size": 4, "mates": 2},
    {"method": "tas-b", "label": "tas-b redrawn", "epochs": 2, "cluster_size": 4, "mates": 2},
    {"method": "rocketqa-v2", "epochs": 1},
]


@pytest.fixture(scope="session")
def lm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("lm") / "model")


@pytest.fixture(scope="session")
def all_methods(lm: Path, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    home = tmp_path_factory.mktemp("baselines")
    write_collection(home / "data")
    return swept(home, lm, METHODS)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")
