from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.labelling.prompting.templates import any_prompt, bundled_prompts, load_chat_prompt, load_prompt
from harness.labelling.strategies.strategy import Strategy
from harness.plugins import plugins

ORDER = ("passage", "query")


LIKELIHOOD = ("topic", "question")


@pytest.mark.parametrize("name", LIKELIHOOD)
def test_bundled_prompts_for_likelihoods_are_sound(name: str) -> None:
    prompt = load_prompt(name, Path(), ORDER)
    assert prompt.summary
    filled = prompt.fill({"passage": "{query} 1", "query": "{passage} 2"})
    assert filled.endswith("{passage} 2")
    assert "{query} 1" in filled


@pytest.mark.parametrize("name", sorted(set(bundled_prompts()) - set(LIKELIHOOD)))
def test_bundled_chat_prompts_fit_a_strategy(name: str) -> None:
    wanted = {frozenset(kind.placeholders - {"count"}) for kind in plugins(Strategy).values()}
    prompt = any_prompt(name, Path())
    assert prompt.summary and prompt.source and prompt.system
    held = frozenset(prompt.placeholders) - {"count"}
    assert held in wanted
    values = {field: f"<{field} {{query}}>" for field in (*held, "count")}
    filled = load_chat_prompt(name, Path(), held).fill(values)
    assert all(values[field] in filled for field in held)


def test_every_strategy_has_a_bundled_prompt() -> None:
    for kind in plugins(Strategy).values():
        for name in (kind.prompt, kind(kind.Settings()).default_prompt):
            assert load_chat_prompt(name, Path(), kind.placeholders).name == name


def test_a_chat_prompt_holds_all_of_its_placeholders(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("summary: mine\nsystem: be brief\ntext: '{passages} {query} {query}'\n")
    prompt = load_chat_prompt("mine.yaml", tmp_path, ("query", "passages"))
    (tmp_path / "bare.yaml").write_text("summary: mine\ntext: '{passages} {query} {query}'\n")
    assert prompt.system == "be brief" and prompt.identity != any_prompt("bare.yaml", tmp_path).identity
    for wanted in (("query",), ("query", "passages", "first")):
        with pytest.raises(UserError, match="placeholders are"):
            load_chat_prompt("mine.yaml", tmp_path, wanted)


def test_a_file_of_ones_own_is_found_from_the_sweeps_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text('summary: mine\ntext: "{{{passage}}} so {query}"\n')
    prompt = load_prompt("mine.yaml", tmp_path, ORDER)
    assert prompt.fill({"passage": "p", "query": "q"}) == "{p} so q"
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
        ("summary: x", "text: this key is required"),
        ("summary: x\ntext: y\ntemperature: 3", "unknown key 'temperature'"),
        ("just words", "must be a mapping"),
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
