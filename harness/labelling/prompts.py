"""Prompts are data: YAML files with named placeholders, checked when they are loaded, identified by what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Formatter

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import UserError, did_you_mean
from harness.stage import digest


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str
    source: str = ""
    text: str


@dataclass(frozen=True)
class Prompt:
    """A text with ``{placeholders}``; double braces stand for single ones. `identity` depends on the text only."""

    name: str
    summary: str
    source: str
    text: str

    @property
    def identity(self) -> str:
        return digest(self.text)

    def pieces(self) -> list[tuple[str, str | None]]:
        """Literal text with the placeholder that follows it; None after the last."""
        return [(literal, field) for literal, field, _, _ in Formatter().parse(self.text)]

    def fill(self, **values: str) -> str:
        """The text with every placeholder replaced; braces inside values stay as they are."""
        return "".join(literal + (values[field] if field is not None else "") for literal, field in self.pieces())


def bundled_prompts() -> list[str]:
    """Names of the prompts that come with the harness."""
    return sorted(file.name.removesuffix(".yaml") for file in resources.files(__package__).joinpath("prompts").iterdir())


def load_prompt(name: str, base: Path, order: Sequence[str]) -> Prompt:
    """A bundled prompt by name, or a file that ends in .yaml, relative to `base`; it must hold the placeholders `order`, so ordered.

    Raises UserError on an unknown name, a file that is no prompt, and missing, unknown, repeated or misplaced placeholders.
    """
    if name.endswith((".yaml", ".yml")):
        place = base / Path(name).expanduser()
        if not place.is_file():
            raise UserError("there is no such prompt", file=place)
        content = place.read_text(encoding="utf-8")
    else:
        if name not in bundled_prompts():
            raise UserError(f"unknown prompt '{name}'", remedy=f"{did_you_mean(name, bundled_prompts())} or give a .yaml file")
        place = Path(f"{name}.yaml")
        content = resources.files(__package__).joinpath("prompts", place.name).read_text(encoding="utf-8")
    prompt = _parsed(name, content, place)
    _check(prompt, list(order), place)
    return prompt


def _parsed(name: str, content: str, place: Path) -> Prompt:
    try:
        file = _File.model_validate(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise UserError(f"no YAML: {error}", file=place) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"no prompt: {first['msg']}", file=place, key=key, remedy="keys: summary, text, and source if you like") from error
    return Prompt(name, file.summary, file.source, file.text)


def _check(prompt: Prompt, order: list[str], place: Path) -> None:
    try:
        found = [field for _, field, form, conversion in Formatter().parse(prompt.text) if field is not None]
        plain = all(not form and not conversion for _, _, form, conversion in Formatter().parse(prompt.text))
    except ValueError as error:
        raise UserError(f"the placeholders cannot be read: {error}", file=place, key="text", remedy="write {{ and }} for braces") from error
    if found != order or not plain:
        wanted = ", ".join(f"{{{field}}}" for field in order)
        shown = ", ".join(f"{{{field}}}" for field in found) or "none"
        raise UserError(f"the placeholders are {shown}", file=place, key="text", remedy=f"use {wanted}, each once and in this order")
