"""Every broken contract of a method is caught by its name, and a method that keeps them is let through."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.method import Method
from harness.plugin_checks.check import CheckReport, run_checks
from harness.plugin_checks.method_checks import CONTRACTS, MethodSetup
from harness.plugin_checks.run_checks import found
from tests.plugin_checks import cheats, methods

Check = Callable[..., CheckReport]
pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the harness makes for every method, made once."""
    bench = MethodSetup(methods.Good, methods.Good.Settings(), tmp_path_factory.mktemp("base"))
    bench._base()
    return bench.home


@pytest.fixture
def check(base: Path, tmp_path: Path) -> Check:
    """Some contracts of a method."""

    def _check(method: type[Method], *names: str) -> CheckReport:
        shutil.copytree(base, tmp_path / "home", copy_function=os.link)
        bench = MethodSetup(method, method.Settings(), tmp_path / "home")
        chosen = [contract for contract in CONTRACTS if contract.name in names]
        assert len(chosen) == len(names)
        return run_checks("baseline", method.name, bench, chosen, lambda done, total, unit="": None)

    return _check


@pytest.mark.parametrize(
    ("method", "contract", "words"),
    [
        (methods.Wordless, "describes-itself", "without a full stop; the class has no docstring; 'sees'"),
        (methods.GivesNoRetriever, "runs", "does not load"),
        (methods.NotDeterministic, "deterministic", "two runs with the same seed gave other bytes in 'nudge'"),
        (methods.IgnoresBudget, "budget", "with a budget of 20 the teacher was asked about 40 queries"),
        (methods.ReadsAllGold, "budget", "depends on the gold labels of queries that were not drawn"),
        (methods.ReadsTestJudgments, "test-data", "it reads the judgments of the test split"),
        (methods.PeeksAtFiles, "test-data", "('nudge') depends on the judgments of the test split"),
        (methods.UndeclaredGold, "needs", "gold labels of training queries, which are not among its needs"),
        (methods.UndeclaredScores, "needs", "depends on the teacher's scores"),
        (methods.UndeclaredAnswers, "needs", "short answers, which are not among its needs"),
        (methods.IgnoresTheSeed, "axes", "another seed gives the very same run"),
        (cheats.DropsQueries, "runs", "documents for 1 of 12 queries"),
        (cheats.AllAnswers, "budget", "depends on the short answers of queries that were not drawn"),
        (cheats.CopiesTheTeacher, "budget", "the teacher was asked about 60 queries"),
        (cheats.RunPeeks, "test-data", "its run ('gold-first') depends on the judgments of the test split"),
        (cheats.DevGold, "needs", "the gold labels of the dev split, which are not among its needs"),
        (cheats.AnswersFromFiles, "needs", "short answers of training queries, which are not among its needs"),
        (cheats.CopiesTheStudent, "axes", "the weights of the student that it started from"),
        (cheats.IgnoresTheSeedInside, "axes", "another seed gives the very same bytes"),
        (cheats.RemembersTestGold, "test-data", "gave the old result again, so it keeps something between runs"),
        (methods.NeedsEveryAnswer, "missing-answers", "it raises IndexError"),
    ],
    ids=lambda value: value.name if isinstance(value, type) else None,
)
def test_a_broken_contract_is_caught_by_name(check: Check, method: type[Method], contract: str, words: str) -> None:
    report = check(method, contract)
    assert report.broken == (contract,) and not report.ok
    assert words in report.contracts[0].detail and report.contracts[0].remedy
    assert words in str(report)


def test_what_depends_on_the_process_is_caught(check: Check) -> None:
    report = check(methods.DependsOnTheProcess, "deterministic")
    assert report.broken == ("deterministic",) and "in another process" in str(report)


def test_state_beside_the_workspace_is_caught(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRACTS_STATE", str(tmp_path / "state"))
    report = check(cheats.KeepsStateInAFile, "deterministic")
    assert report.broken == ("deterministic",) and f"it writes {tmp_path / 'state'}, outside its workspace" in str(
        report
    )


def test_what_trusts_leftovers_of_a_kill_is_caught(check: Check) -> None:
    report = check(methods.TrustsLeftovers, "resumes")
    assert report.broken == ("resumes",) and "other bytes than without" in str(report)


def test_a_good_method_keeps_all_that_needs_no_other_process(check: Check) -> None:
    inside = [contract.name for contract in CONTRACTS if contract.name not in ("deterministic", "resumes")]
    report = check(methods.Good, *inside)
    assert report.ok and {verdict.state for verdict in report.contracts} == {"kept"}


def test_a_run_that_fails_is_one_broken_contract(check: Check) -> None:
    report = check(methods.GivesNoRetriever, "runs", "budget", "needs")
    assert report.broken == ("runs",)
    assert [verdict.state for verdict in report.contracts] == ["broken", "not checked", "not checked"]
    assert report.contracts[1].detail == "see 'runs'"


def test_methods_that_are_not_deterministic_are_not_compared(check: Check) -> None:
    report = check(methods.NotDeterministic, "deterministic", "needs")
    assert report.broken == ("deterministic",) and report.contracts[1].state == "not checked"


def test_an_unknown_name_says_both_ways_to_a_plug_in() -> None:
    with pytest.raises(UserError) as refused:
        found("baseline", "no-such-method")
    assert "pip install -e FOLDER" in str(refused.value) and "--plugins FILE.py" in str(refused.value)
