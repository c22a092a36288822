from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.labelling.prompts import bundled_prompts, load_prompt

ORDER = ("passage", "query")


@pytest.mark.parametrize("name", bundled_prompts())
def test_bundled_prompts_are_sound(name: str) -> None:
    prompt = load_prompt(name, Path(), ORDER)
    assert prompt.summary
    filled = prompt.fill(passage="{query} 1", query="{passage} 2")
    assert filled.endswith("{passage} 2")
    assert "{query} 1" in filled


def test_a_file_of_ones_own_is_found_from_the_sweeps_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text('summary: mine\ntext: "{{{passage}}} so {query}"\n')
    prompt = load_prompt("mine.yaml", tmp_path, ORDER)
    assert prompt.fill(passage="p", query="q") == "{p} so q"
    (tmp_path / "same.yaml").write_text('summary: other words\nsource: somewhere\ntext: "{{{passage}}} so {query}"\n')
    (tmp_path / "other.yaml").write_text('summary: mine\ntext: "{{{passage}}} thus {query}"\n')
    same, other = (load_prompt(name, tmp_path, ORDER) for name in ("same.yaml", "other.yaml"))
    assert same.identity == prompt.identity != other.identity


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("summary: x\ntext: '{passage}'", "placeholders are {passage}"),
        ("summary: x\ntext: '{query} {passage}'", "placeholders are {query}, {passage}"),
        ("summary: x\ntext: '{passage} {passage} {query}'", "placeholders"),
        ("summary: x\ntext: '{passage} {query} {title}'", "placeholders"),
        ("summary: x\ntext: '{passage!r} {query}'", "placeholders"),
        ("summary: x\ntext: '{passage:>9} {query}'", "placeholders"),
        ("summary: x\ntext: '{passage {query}'", "cannot be read"),
        ("summary: x\ntext: '{passage}} {query}'", "cannot be read"),
        ("summary: x", "no prompt"),
        ("summary: x\ntext: y\ntemperature: 3", "no prompt"),
        ("just words", "no prompt"),
        ("a: [", "no YAML"),
    ],
)
def test_a_broken_prompt_is_refused_when_it_is_loaded(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "broken.yaml").write_text(content)
    with pytest.raises(UserError, match=said) as caught:
        load_prompt("broken.yaml", tmp_path, ORDER)
    assert caught.value.file == tmp_path / "broken.yaml"


def test_an_unknown_prompt_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'topic'"):
        load_prompt("topik", tmp_path, ORDER)
    with pytest.raises(UserError, match="no such prompt"):
        load_prompt("absent.yaml", tmp_path, ORDER)
