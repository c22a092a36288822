"""Nodes on which stages would come out otherwise are found before anything runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.models import folder_hash, resolve_model
from harness.pipeline.cluster.cluster_diagnosis import diagnose_cluster
from harness.pipeline.cluster.graph_pickle import located
from harness.pipeline.cluster.node_facts import differences, node_facts
from harness.pipeline.workspace import Workspace
from tests.pipeline.two_nodes import TwoNodes

OTHER = """
import json, sys
from harness.pipeline.cluster.node_facts import node_facts
print(json.dumps(dict(node_facts())))
"""


def test_another_process_of_the_same_code_has_the_same_facts() -> None:
    facts = json.loads(subprocess.check_output([sys.executable, "-c", OTHER], text=True))
    assert {"code", "torch", "numpy", "harness", "python"} <= facts.keys()
    assert differences(node_facts(), facts) == []


def test_what_differs_is_told_with_both_sides() -> None:
    own = {"torch": "2.13.0", "code": "abc", "bm25s": "0.3.10"}
    assert differences(own, {"torch": "2.9.0", "code": "abc", "pyserini": "1.0"}) == [
        "bm25s absent (not 0.3.10)",
        "pyserini 1.0 (not absent)",
        "torch 2.9.0 (not 2.13.0)",
    ]


@pytest.mark.models
def test_a_model_is_found_by_name_and_refused_by_hash(tmp_path: Path) -> None:
    tiny = resolve_model("bundled:bert-tiny")
    assert located(tiny.name, tmp_path / "another machine's", tiny.gguf, tiny.identity) == tiny
    copy = tmp_path / "model"
    copy.mkdir()
    for file in tiny.path.iterdir():
        if file.suffix in (".json", ".safetensors", ".txt"):
            (copy / file.name).write_bytes(file.read_bytes())
    placed = resolve_model(str(copy))
    identity = placed.identity
    assert located(placed.name, placed.path, None, identity) == placed
    with (copy / "config.json").open("a") as stream:
        stream.write(" ")
    folder_hash.cache_clear()
    with pytest.raises(UserError, match=rf"'{copy}' has the hash \w+ on .*, and {identity[:12]} where"):
        located(placed.name, placed.path, None, identity)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.models
def test_the_doctor_says_in_what_nodes_differ_and_no_secret(
    two_nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Workspace(tmp_path / "workspace")
    assert all(row["ok"] for row in diagnose_cluster(two_nodes.address, home)["checks"])
    # The nodes were started without it.
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-a-secret-of-mine")
    report = diagnose_cluster(two_nodes.address, home)
    wrong = [row for row in report["checks"] if not row["ok"]]
    assert [row["detail"] for row in wrong] == ["not set there: MISTRAL_API_KEY"] * 2
    assert "sk-a-secret" not in json.dumps(report)


@pytest.mark.ray
@pytest.mark.slow
def test_where_no_cluster_is_that_is_said(two_nodes: TwoNodes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no Ray cluster at 'no address'"):
        diagnose_cluster("no address", Workspace(tmp_path))
