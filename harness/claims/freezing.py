"""Freezing: what was claimed of which sweeps on which data, written down before the first evaluation.

``NAME.frozen.json`` beside the file holds it. A run carries the hash on its card where the files say the same when it
is published, and what was evaluated was made after the freeze. Overrides of a sweep's values make another state; other
collections do not, they are a confirmation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime

from harness.claims.claims_file import Claims, claims_of
from harness.collections.collection import Collection
from harness.config.choices import CollectionChoice
from harness.config.sweep_file import SweepFile
from harness.errors import UserError
from harness.files import atomic_file
from harness.plugins import Settings
from harness.published.card import Card
from harness.stage import digest
from harness.validation import validated_json

_NO_STATE = frozenset({"extends", "definitions", "collections", "claims", "name", "description", "max_cost", "timeout"})
"""Keys of a sweep file that change no run of a collection."""


class Frozen(Settings):
    """What was frozen, and when."""

    state: str
    """Hash of hypotheses and sweep files."""
    collections: dict[str, str]
    """Content hash by name."""
    since: AwareDatetime

    @property
    def hash(self) -> str:
        """What cards carry."""
        return freeze_hash(self.state, self.collections)


def freeze_hash(state: str, collections: Mapping[str, str]) -> str:
    """Of hypotheses, sweep files and the contents of collections."""
    return digest([state, dict(collections)])


def state_of(claims: Claims) -> str:
    """Hash of the hypotheses and of everything in the sweep files that can change a run."""
    sweeps = {name: _content(sweep) for name, sweep in claims.sweeps.items()}
    section = claims.section.model_dump(mode="json", exclude={"description", "sweeps"})
    return digest([section, sweeps])


def _content(sweep: SweepFile) -> dict[str, Any]:
    content: dict[str, Any] = sweep.source.tree.plain() if sweep.source.tree is not None else {}
    return {key: value for key, value in content.items() if key not in _NO_STATE}


def frozen_file(claims: Claims) -> Path:
    """Where the freeze of `claims` is written down."""
    return claims.path.with_suffix(".frozen.json")


def read_frozen(claims: Claims) -> Frozen | None:
    """What was frozen of `claims`; None where nothing was. Raises UserErrors where the file is malformed."""
    file = frozen_file(claims)
    if not file.is_file():
        return None
    return validated_json(Frozen, file.read_bytes(), what="the freeze", file=file)


def freeze(claims: Claims, collections: Mapping[str, str]) -> Frozen:
    """Write down `claims` as they are now, with the content hashes of `collections`; a freeze of the same stays.

    Raises UserError where something else was frozen.
    """
    before, state = read_frozen(claims), state_of(claims)
    if before is not None:
        if (before.state, before.collections) == (state, dict(collections)):
            return before
        raise UserError(
            f"frozen since {before.since:%Y-%m-%d %H:%M} as {before.hash[:12]}, and hypotheses, sweeps or data are "
            "others now",
            file=frozen_file(claims),
            remedy="undo the change; or delete this file to freeze anew, which makes all runs so far exploratory",
        )
    frozen = Frozen(state=state, collections=dict(collections), since=datetime.now(UTC).replace(microsecond=0))
    with atomic_file(frozen_file(claims)) as temporary:
        temporary.write_text(json.dumps(frozen.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8")
    return frozen


def freeze_claims(claims: Claims, opened: Callable[[CollectionChoice, Path], Collection]) -> Frozen:
    """Write down the claims with all collections of their sweeps; `opened` prepares one, given what the sweep says of
    it and the folder of the sweep. Runs nothing. Raises UserError as `freeze` does, and where a collection is missing.
    """
    hashes = {}
    for sweep in claims.sweeps.values():
        for spec in sweep.collections:
            collection = opened(spec, sweep.source.path.parent)
            hashes[collection.name] = collection.split_hash(sweep.evaluate.split)
    return freeze(claims, hashes)


class FreezeMark:
    """What the cards of a sweep's runs say of the freeze that they rest on."""

    def __init__(self, sweep: SweepFile) -> None:
        claims = claims_of(sweep)
        self._frozen = read_frozen(claims) if claims is not None else None
        self._now = state_of(claims) if claims is not None else ""

    def stamped(self, card: Card, started: str) -> Card:
        """`card` with the freeze that its run rests on, where it rests on one."""
        frozen = self.of(started, is_reference=card.resample is None and card.seed is None)
        return card.model_copy(update={"frozen": (frozen,)}) if frozen else card

    def of(self, started: str, is_reference: bool) -> str | None:
        """The hash for a run whose evaluation was started then, in ISO form; None where nothing was frozen before it.

        What no draw and no seed changes may be older (`is_reference`): to know BM25's score is to know nothing of what
        is claimed. Of another state than the frozen one it is another hash.
        """
        if self._frozen is None:
            return None
        if not is_reference and datetime.fromisoformat(started) < self._frozen.since:
            return None
        return freeze_hash(self._now, self._frozen.collections)
