"""The freeze: what it holds, what makes another state, which runs carry it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from harness.claims.claims_file import claims_of, load_claims
from harness.claims.freezing import FreezeMark, freeze, read_frozen, state_of
from harness.claims.run_selection import planned_cells
from harness.config.load import load_sweep
from harness.errors import UserError
from tests.claims.simulated import Setting
from tests.house.source import ROOT


def test_a_freeze_of_the_same_stays_and_another_is_refused(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.freeze()
    before = read_frozen(made.claims)
    made.freeze()

    assert before is not None and read_frozen(made.claims) == before
    made.content["hypotheses"]["C1"]["on"] = 1  # type: ignore[index]
    made.write()
    with pytest.raises(UserError, match=r"frozen since .* are others now"):
        made.freeze()
    with pytest.raises(UserError, match="frozen since"):
        freeze(load_claims(tmp_path / "claims.yaml"), {})


def test_hypotheses_and_sweeps_are_the_state_and_descriptions_and_collections_are_not(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    state = state_of(made.claims)
    made.sweep |= {"description": "in other words", "collections": ["semanlink"]}
    made.content |= {"description": "in other words"}
    made.write()
    assert state_of(made.claims) == state

    made.sweep |= {"budgets": [200]}
    made.write()
    assert state_of(made.claims) != state


def test_runs_carry_the_freeze_where_nothing_was_overridden_and_it_came_before_them(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    sweep = tmp_path / "sweep.yaml"
    assert FreezeMark(load_sweep(sweep)).of("2030-01-01T00:00:00+00:00", False) is None, "nothing is frozen"
    made.freeze()
    frozen = read_frozen(made.claims)
    assert frozen is not None
    before, after = (frozen.since - timedelta(minutes=1)).isoformat(), frozen.since.isoformat()

    mark = FreezeMark(load_sweep(sweep))
    assert mark.of(after, False) == frozen.hash
    assert mark.of(before, False) is None
    assert mark.of(before, True) == frozen.hash, "a reference that no draw changes may be older"
    assert FreezeMark(load_sweep(sweep, ["collections=[scifact]"])).of(after, False) == frozen.hash
    assert FreezeMark(load_sweep(sweep, ["budgets=[50]"])).of(after, False) not in (None, frozen.hash)


def test_exploratory_runs_enter_no_verdict(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.put_all({"oracle": 0.1, "ours": 0.06})
    assert made.verdict("C1").verdict == "exploratory"
    shown = {one.name: one.results for one in made.report.exploratory}
    assert all(one.comparisons for one in shown["C1"]), "their numbers are shown"

    made.freeze()
    assert made.verdict("C1").verdict == "exploratory"
    made.put_all({"oracle": 0.1, "ours": 0.06})
    assert made.verdict("C1").verdict == "holds"
    assert any("10 exploratory runs left out" in note for note in made.report.notes)


def test_runs_on_data_that_was_not_frozen_are_a_confirmation_and_on_changed_data_exploratory(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.freeze()
    made.put_all({"oracle": 0.1, "ours": 0.06})
    for name in ("oracle", "ours", "shuffled", "start"):
        made.put("beir/new", name, {"oracle": 0.1, "ours": 0.06}.get(name, 0.0))
        made.put("scifact", name, -0.1, content_hash="cd" * 32)

    report = made.report
    assert [one.collection for claim in report.confirmation for one in claim.results] == ["beir/new"] * 2
    assert [one.collection for one in made.verdict("C1").results] == list(made.collections)
    assert made.verdict("C1").verdict == "holds"


def test_a_sweep_that_its_file_of_claims_does_not_name_is_refused(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    (tmp_path / "other.yaml").write_text((tmp_path / "sweep.yaml").read_text())

    with pytest.raises(UserError, match=r"other\.yaml:1.*claims: .*does not name this sweep"):
        claims_of(load_sweep(tmp_path / "other.yaml"))
    assert made.claims.sweeps["sweep.yaml"].budgets == (100,)


def test_every_fault_of_claims_is_told_with_its_line(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.content["hypotheses"] = {
        "C1": {"run": "our", "than": {"all": ["start"], "any": ["start"]}},
        "C2": {"run": "ours", "than": ["ours"], "after": "C3"},
        "C3": {"kind": "better", "run": "ours", "than": "start"},
    }
    made.write()
    with pytest.raises(UserError) as error:
        _ = made.claims
    text = str(error.value)
    assert "give exactly one of all and any" in text and "'superior'" in text

    made.content["hypotheses"] = {
        "C1": {"run": "our", "than": "start"},
        "C2": {"run": "ours", "than": ["ours"], "after": "C3"},
    }
    made.write()
    with pytest.raises(UserError) as error:
        _ = made.claims
    text = str(error.value)
    assert "'our' is none of the runs" in text and "did you mean 'ours'?" in text
    assert "would be compared with itself" in text and "'C3' is none of the hypotheses before it" in text


def test_a_section_of_a_sweep_file_is_enough(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.sweep["claims"] = {"runs": made.content["runs"], "hypotheses": made.content["hypotheses"]}
    made.write()
    claims = load_claims(tmp_path / "sweep.yaml")

    assert list(claims.section.hypotheses) == ["S", "C1"] and list(claims.sweeps) == ["sweep.yaml"]


def test_the_example_of_the_repository_loads_and_plans_every_run_it_names() -> None:
    claims = load_claims(ROOT / "configs" / "claims-example.yaml")

    for collection, runs in planned_cells(claims).items():
        assert set(runs) == set(claims.section.runs), collection
