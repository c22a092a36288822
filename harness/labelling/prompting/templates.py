"""Prompts are data: YAML files with named placeholders, checked when they are loaded, identified by what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from string import Formatter

import yaml
from pydantic import BaseModel, ConfigDict

from harness.errors import UserError, did_you_mean
from harness.stage import digest
from harness.validation import validated


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str
    source: str = ""
    system: str = ""
    text: str


@dataclass(frozen=True)
class Prompt:
    """A text with ``{placeholders}``; double braces stand for single ones. `identity` depends on what is sent only.

    `system` is sent as it stands, before the text; only chat models get it.
    """

    name: str
    summary: str
    source: str
    text: str
    system: str = ""

    @property
    def identity(self) -> str:
        return digest([self.system, self.text] if self.system else self.text)

    def details(self) -> dict[str, str]:
        """For cards: its name without folders, what is sent, and the hash of that."""
        system = {"system": self.system} if self.system else {}
        return {"name": Path(self.name).name, "hash": self.identity, **system, "text": self.text}

    @property
    def placeholders(self) -> list[str]:
        """As they stand in the text, repeated ones repeatedly."""
        return [field for _, field in self.pieces() if field is not None]

    def pieces(self) -> list[tuple[str, str | None]]:
        """Literal text with the placeholder that follows it; None after the last."""
        return [(literal, field) for literal, field, _, _ in Formatter().parse(self.text)]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with every placeholder replaced; braces inside values stay as they are."""
        return "".join([literal + (values[field] if field is not None else "") for literal, field in self._pieces])

    @cached_property
    def _pieces(self) -> list[tuple[str, str | None]]:
        return self.pieces()


def bundled_prompts() -> list[str]:
    """Names of the prompts that come with the harness."""
    return sorted(
        file.name.removesuffix(".yaml") for file in resources.files(__package__).joinpath("prompts").iterdir()
    )


def load_prompt(name: str, base: Path, order: Sequence[str]) -> Prompt:
    """A prompt (see `any_prompt`) that holds the placeholders `order`, each once and so ordered.

    Raises UserError on an unknown name, a file that is no prompt, and missing, unknown, repeated or misplaced
    placeholders.
    """
    prompt, place = _loaded(name, base)
    if prompt.placeholders != list(order):
        raise _misplaced(prompt, place, order, "each once and in this order")
    return prompt


def load_chat_prompt(name: str, base: Path, wanted: Collection[str]) -> Prompt:
    """A prompt (see `any_prompt`) that holds all of `wanted` placeholders and no other, in any order, ``count`` at
    will.

    Raises UserError as `load_prompt` does.
    """
    prompt, place = _loaded(name, base)
    if set(prompt.placeholders) | {"count"} != set(wanted) | {"count"}:
        raise _misplaced(prompt, place, sorted(wanted), "all of them")
    return prompt


def any_prompt(name: str, base: Path) -> Prompt:
    """A bundled prompt by name, or a file that ends in .yaml, relative to `base`. Raises UserError when there is none
    such."""
    return _loaded(name, base)[0]


def _loaded(name: str, base: Path) -> tuple[Prompt, Path]:
    if name.endswith((".yaml", ".yml")):
        place = base / Path(name).expanduser()
        if not place.is_file():
            raise UserError("there is no such prompt", file=place)
        content = place.read_text(encoding="utf-8")
    else:
        if name not in bundled_prompts():
            raise UserError(
                f"unknown prompt '{name}'", remedy=did_you_mean(name, bundled_prompts(), "Or give a .yaml file")
            )
        place = Path(f"{name}.yaml")
        content = resources.files(__package__).joinpath("prompts", place.name).read_text(encoding="utf-8")
    prompt = _parsed(name, content, place)
    _check(prompt, place)
    return prompt, place


def _parsed(name: str, content: str, place: Path) -> Prompt:
    try:
        value = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise UserError(f"no YAML: {error}", file=place) from error
    file = validated(_File, value, what=f"the prompt '{name}'", file=place, show="harness show prompts listwise")
    return Prompt(name, file.summary, file.source, file.text, file.system)


def _check(prompt: Prompt, place: Path) -> None:
    try:
        parts = list(Formatter().parse(prompt.text))
    except ValueError as error:
        raise UserError(
            f"the placeholders cannot be read: {error}", file=place, key="text", remedy="write {{ and }} for braces"
        ) from error
    if any(form or conversion for _, _, form, conversion in parts):
        raise UserError(
            "placeholders take no format", file=place, key="text", remedy="write {query}, not {query!r} or {query:>9}"
        )


def _misplaced(prompt: Prompt, place: Path, wanted: Sequence[str], how: str) -> UserError:
    listed = ", ".join(f"{{{field}}}" for field in wanted)
    shown = ", ".join(f"{{{field}}}" for field in prompt.placeholders) or "none"
    return UserError(f"the placeholders are {shown}", file=place, key="text", remedy=f"use {listed}, {how}")
