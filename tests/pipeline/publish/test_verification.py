"""Folders with anything in them are judged, one by one, and none keeps the others from being judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.labelling.labels.run_labels import packed
from harness.pipeline.publish.verification import verify_folders
from harness.published.provenance import Provenance
from harness.published.published_answers import packed_answers
from harness.published.result_folder import ANSWERS, LABELS, PROVENANCE
from harness.published.run_export import export_qrels
from tests.leaderboard.runs import QRELS, make_card, make_run, put

BESIDE = {LABELS: packed([], 0), PROVENANCE: Provenance(stages=()).to_json(), ANSWERS: packed_answers({"q001": "yes"})}
FILES = ("card.yaml", "metrics.parquet", "run.trec.gz", *BESIDE)


@pytest.mark.slow
@settings(max_examples=40)
@given(
    name=st.sampled_from(FILES),
    place=st.floats(0, 1),
    length=st.sampled_from([0, 1, 20, 10_000]),
    garbage=st.one_of(
        st.binary(max_size=60), st.sampled_from([b"!!python/object:os.system", b"nan", b"1e999", b"[" * 3000])
    ),
)
def test_a_damaged_folder_has_problems_and_the_next_one_is_judged(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: float, length: int, garbage: bytes
) -> None:
    results = tmp_path_factory.mktemp("damaged")
    export_qrels(QRELS, results / "qrels.tsv")
    folders = [put(results, make_card(tag), make_run(0.5, 3), beside=BESIDE) for tag in ("bad", "good")]
    content = (folders[0] / name).read_bytes()
    start = round(place * len(content))
    damaged = content[:start] + garbage + content[start + length :]
    (folders[0] / name).write_bytes(damaged)
    bad, good = verify_folders(folders, str(results / "qrels.tsv"), results / "workspace")["results"]
    assert good["problems"] == []
    if name != "card.yaml" and damaged != content:
        assert bad["problems"]


@pytest.mark.parametrize("place", ["nowhere", "file", "link"])
def test_what_is_no_folder_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    (row,) = verify_folders([tmp_path / place], None, tmp_path / "workspace")["results"]
    assert len(row["problems"]) == 1 and "card.yaml is missing" in row["problems"][0]
