"""The files that docs/clusters.md gives hold together."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

PAGE = (Path(__file__).parents[3] / "docs" / "clusters.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_shell_is_shell_and_yaml_is_yaml() -> None:
    for script in blocks("sh"):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    job, cluster = (yaml.safe_load(text) for text in blocks("yaml"))
    groups = [job["spec"]["rayClusterSpec"]["headGroupSpec"], *job["spec"]["rayClusterSpec"]["workerGroupSpecs"]]
    assert {group["template"]["spec"]["volumes"][0]["name"] for group in groups} == {"shared"}
    assert cluster["min_workers"] == len(cluster["provider"]["worker_ips"]) == cluster["max_workers"]


def test_what_is_typed_is_understood() -> None:
    from typer.testing import CliRunner

    from harness.cli.main import app

    typed = [
        line.strip().partition("harness ")[2] for text in (*blocks("sh"), *blocks("yaml")) for line in text.splitlines()
    ]
    commands = {one.split()[0] for one in typed if "--executor ray" in one}
    assert commands == {"sweep", "doctor"}
    for command in commands:
        told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        assert "--executor" in told and "--address" in told
