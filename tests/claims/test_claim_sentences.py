"""Claims in a sentence each."""

from __future__ import annotations

from pathlib import Path

from harness.claims.claim_sentences import claim_sentences
from tests.claims.simulated import Setting


def test_a_claim_is_told_with_its_verdict_and_the_nearest_rival_and_a_check_is_none(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.freeze()
    made.put_all({"oracle": 0.1, "ours": 0.06, "shuffled": 0.01})
    (sentence,) = claim_sentences(made.report)
    assert sentence.startswith("C1, ours: holds, shown on 3 of 3 collections (")
    assert sentence.endswith("against shuffled.")


def test_a_difference_of_one_collection_names_it(tmp_path: Path) -> None:
    made = Setting(tmp_path, collections=1)
    made.freeze()
    made.put_all({"oracle": 0.1, "ours": 0.06})
    (sentence,) = claim_sentences(made.report)
    (collection,) = made.collections
    assert f"; on {collection} +0.0" in sentence


def test_nothing_is_told_of_what_no_freeze_covers_or_no_run_measures(tmp_path: Path) -> None:
    made = Setting(tmp_path)
    made.put_all({"oracle": 0.1, "ours": 0.06})
    assert claim_sentences(made.report) == []
    made.runs.clear()
    made.freeze()
    assert claim_sentences(made.report) == []
