"""The restated schema of ir_metadata: its own example conforms, our cards conform, what contradicts it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from harness.published.annotated_run import header, metadata
from harness.published.card import Card
from harness.published.environment import implementation, platform, public_address
from harness.published.ir_metadata import IrMetadata
from harness.published.result_folder import card_text, read_card, run_folders
from harness.retrieval.run import Run
from tests.leaderboard.runs import make_card, make_run, put, teacher
from tests.published.test_card import in_version_1

RESULTS = Path(__file__).parents[2] / "results"

EXAMPLE = """
schema-version: 0.1
run-version: 1.0
tag: h2oloo.ccrf.04.core17.ax_e3_0.6
platform:
  hardware:
    cpu:
      model: Intel(R) Xeon(R) Gold 6144 CPU @ 3.50GHz
      architecture: x86_64
      operation mode: 64-bit
      number of cores: 16
    ram: 32 GB
  operating system: {kernel: GNU/Linux 4.15.0-166-generic, distribution: Ubuntu 18.04.5 LTS}
  software:
    libraries: {python: [numpy==1.15.4], java: [lucene==7.6]}
    retrieval toolkit: [anserini==0.3.0]
research goal:
  venue: {name: ECIR, year: 2019}
  publication: {dblp: https://dblp.org/rec/conf/ecir/YuXL19}
  evaluation:
    reported measures: [map, P_10]
    baseline: [WCrobust04]
    significance test: [{name: t-test, correction method: bonferroni}]
implementation:
  executable: {cmd: python generate_runs.py}
  source: {lang: [python], repository: https://github.com/castorini/anserini, commit: 9548cd6}
method:
  automatic: true
  indexing: {tokenizer: StandardTokenizer, stemmer: PorterStemFilter}
  retrieval:
  - {name: bm25, method: BM25Similarity, b: 0.4, k1: 0.9}
  - {name: interpolation, weight: 0.6, interpolates: [bm25]}
actor: {name: Jimmy Lin, orcid: 0000-0002-0661-7189, fields: [nlp, ir], role: reproducer}
data:
  test collection: {name: The New York Times Annotated Corpus, ir_datasets: https://ir-datasets.com/nyt}
  training data: [{name: TREC disks 4 and 5, source: https://trec.nist.gov/data/cd45/index.html}]
  other: [{name: GloVe embeddings}]
"""
"""Put together from the examples of the checklists."""

FULL = make_card(
    "ours",
    "intermediate",
    category="ours",
    budget=300,
    teacher=teacher(model="bundled:smollm2-135m"),
    platform=platform(),
    implementation=implementation("harness sweep configs/budget.yaml"),
)


def test_the_example_of_the_checklists_conforms() -> None:
    found = IrMetadata.model_validate(yaml.safe_load(EXAMPLE))
    assert found.research_goal.evaluation is not None
    assert found.research_goal.evaluation.significance_test is not None
    assert found.research_goal.evaluation.significance_test[0].correction_method == "bonferroni"
    assert found.method.retrieval is not None
    assert found.method.retrieval[1].interpolates == ["bm25"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("platform", "hardware", "cpu", "number of cores"), "16"),
        (("platform", "hardware", "ram"), 32),
        (("platform", "software", "libraries"), ["numpy"]),
        (("implementation", "source", "lang"), "python"),
        (("research goal", "venue", "year"), "2019"),
        (("method", "automatic"), "yes"),
        (("actor", "role"), "author"),
        (("data", "training data"), {"name": "x"}),
        (("tag",), None),
    ],
)
def test_what_contradicts_the_checklists_is_refused(place: tuple[str, ...], value: Any) -> None:
    whole = yaml.safe_load(EXAMPLE)
    section = whole
    for name in place[:-1]:
        section = section[name]
    section[place[-1]] = value
    with pytest.raises(ValidationError):
        IrMetadata.model_validate(whole)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, IrMetadata.model_json_schema())


@pytest.mark.parametrize(
    "bad", [{"platform": {"hardware": {"ram": 3}}}, {"implementation": {"source": []}}, {"actor": {"role": "king"}}]
)
def test_a_card_whose_sections_contradict_the_schema_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Card.model_validate(FULL.model_dump() | bad)


def test_our_cards_conform_as_pydantic_and_as_json_schema() -> None:
    whole = metadata(FULL)
    jsonschema.validate(whole, IrMetadata.model_json_schema())
    assert whole["platform"]["hardware"]["cpu"]["operation mode"] in ("64-bit", "32-bit")
    assert "bm25s" in " ".join(whole["platform"]["software"]["retrieval toolkit"])
    assert whole["research goal"]["evaluation"]["significance test"][0]["correction method"] == "Holm"


def test_the_published_results_conform_and_are_written_again_as_they_are() -> None:
    folders = list(run_folders(RESULTS))
    assert folders
    for folder in folders[:: max(1, len(folders) // 6)]:
        card = read_card(folder)
        metadata(card)
        stored = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
        written = yaml.safe_load(card_text(card))
        if stored["card-version"] == 1:
            written = in_version_1(written)
        assert yaml.safe_dump(written, sort_keys=False) == yaml.safe_dump(stored, sort_keys=False)


def test_an_annotated_run_is_read_as_the_run_that_it_is(tmp_path: Path) -> None:
    folder = put(tmp_path, FULL, make_run(0.5))
    lines = header(read_card(folder)).splitlines()
    assert (lines[0], lines[-1]) == ("# ir_metadata.start", "# ir_metadata.end")
    assert yaml.safe_load("\n".join(line[2:] for line in lines[1:-1])) == metadata(read_card(folder))
    run = Run.read(folder)
    run.write(tmp_path / "plain.trec")
    (tmp_path / "annotated.trec").write_text(header(FULL) + (tmp_path / "plain.trec").read_text())
    assert Run.read(tmp_path / "annotated.trec") == run


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://user:secret@github.com/a/b.git", "https://github.com/a/b"),
        ("git@github.com:a/b.git", "https://github.com/a/b"),
        ("ssh://git@example.org:2222/a/b", "https://example.org/a/b"),
        ("/home/me/b", ""),
        ("file:///home/me/b", ""),
        ("host/path:with", ""),
        ("https://localhost/a", ""),
        ("", ""),
    ],
)
def test_repositories_are_named_without_secrets_and_only_where_others_reach_them(remote: str, shown: str) -> None:
    assert public_address(remote) == shown
