"""Every method is checked with a teacher that gives what it needs, and what its teacher was asked is seen whoever that
is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.labelling.labels.teacher import GIVES
from harness.ledger.ledger import Ledger
from harness.method import Method
from harness.models import folder_hash
from harness.plugin_checks.check import Broken, run_checks
from harness.plugin_checks.method_checks import CONTRACTS, MethodSetup
from harness.plugin_checks.stub_spec import StubSpec, may_fail, teacher_for
from harness.plugins import plugins
from tests.plugin_checks import methods
from tests.teachers.tiny import make_tasks

pytestmark = pytest.mark.models
QUICK = ("describes-itself", "runs", "budget", "test-data", "missing-answers")


class IgnoresBudgetInside(methods.IgnoresBudget):
    """The same with a teacher that does not count whom it is asked about."""

    name = "ignores-budget-inside"
    needs = ("likelihoods",)
    sees = needs


@pytest.mark.parametrize("need", GIVES)
def test_there_is_a_teacher_for_every_need_and_another_of_its_kind(need: str, tmp_path: Path) -> None:
    one, other = (teacher_for((need,), StubSpec(tmp_path, other=other)) for other in (False, True))
    assert need in one.gives and type(one) is type(other) and one.identity != other.identity
    assert teacher_for((need,), StubSpec(tmp_path)).identity == one.identity
    tasks = make_tasks(3, 4, 9)
    if need != "text":
        rankings = list(one.label(tasks, Ledger(tmp_path / "ledger.sqlite"), lambda done, total, unit="": None))
        assert all(ranking.ranked for ranking in rankings) and len(rankings) == 3
        assert (rankings[0].scores is not None) == (need != "order")


def test_nobody_gives_everything(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="no one teacher gives cross-attention and text"):
        teacher_for(("text", "cross-attention"), StubSpec(tmp_path))
    assert may_fail(("order", "text", "gold labels")) and not may_fail(("likelihoods",))


def test_tiny_models_are_the_same_everywhere(tmp_path: Path) -> None:
    from harness.plugin_checks.tiny_models import tiny_decoder, tiny_fusion

    for make in (tiny_decoder, tiny_fusion):
        assert folder_hash(make(tmp_path / f"{make.__name__} a", 3)) == folder_hash(
            make(tmp_path / f"{make.__name__} b", 3)
        )


@pytest.mark.parametrize("name", ["art", "pdist", "fid-kd", "synthetic-queries", "teacher-rerank"])
def test_methods_that_need_more_than_an_order_keep_their_contracts(name: str, tmp_path: Path) -> None:
    method = plugins(Method)[name]
    bench = MethodSetup(method, method.Settings(), tmp_path)
    report = run_checks(
        "baseline", name, bench, [one for one in CONTRACTS if one.name in QUICK], lambda done, total, unit="": None
    )
    assert report.ok, str(report)
    asked = {"synthetic-queries": 0, "teacher-rerank": 0}.get(name, 20)
    assert len(bench.labelled) == asked


def test_labels_beyond_the_budget_are_seen_whoever_the_teacher_is(tmp_path: Path) -> None:
    bench = MethodSetup(IgnoresBudgetInside, IgnoresBudgetInside.Settings(), tmp_path)
    report = run_checks(
        "baseline", "x", bench, [one for one in CONTRACTS if one.name == "budget"], lambda done, total, unit="": None
    )
    assert report.broken == ("budget",) and "asked about 40 queries" in str(report)
