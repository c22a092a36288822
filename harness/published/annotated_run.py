"""The header of an annotated run file: what ir_metadata wants to know of a run, as comment lines before its first
result.

Breuer, Keller and Schaer, SIGIR 2022, https://www.ir-metadata.org/metadata/overview.
"""

from __future__ import annotations

from typing import Any

import yaml

from harness.published.card import Card
from harness.published.ir_metadata import END, SECTIONS, START, IrMetadata
from harness.validation import validated

BOARD_TEST = {"name": "paired randomisation, two-sided", "correction method": "Holm"}
"""How boards test a row against its baseline."""


def metadata(card: Card) -> dict[str, Any]:
    """The card in ir_metadata's sections; what they have no place for stays on the card. Raises UserError where it does
    not conform."""

    whole = card.model_dump(mode="json")
    found: dict[str, Any] = {"schema-version": card.schema_version, "run-version": "1.0", "tag": card.tag}
    found |= {name: whole[name] for name in SECTIONS}
    found["research goal"]["evaluation"]["significance test"] = [BOARD_TEST]
    validated(IrMetadata, found, what="the card as ir_metadata has it")
    return found


def header(card: Card) -> str:
    """The lines of `metadata`, each a comment; trec_eval itself takes no comments, so this is for readers that do."""

    text = yaml.safe_dump(metadata(card), sort_keys=False, allow_unicode=False, width=140)
    return "\n".join([START, *(f"# {line}" for line in text.splitlines()), END]) + "\n"
