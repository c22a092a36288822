"""Claims from disk: a file of their own over several sweeps, or the section of one sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config.claims.claims_section import ClaimsFile, ClaimsSection
from harness.config.load import load_sweep
from harness.config.sweep_file import SweepFile
from harness.config.yamlfile import read_file
from harness.errors import UserError, UserErrors
from harness.validation import validated


@dataclass(frozen=True)
class Claims:
    """Hypotheses, the file that says them, and the sweeps that make their runs by the names that it gives them."""

    section: ClaimsSection
    path: Path
    sweeps: Mapping[str, SweepFile]
    description: str = ""


def load_claims(path: str | Path) -> Claims:
    """The claims of a file of claims, or of a sweep file with `claims`. Raises UserErrors with everything that is
    wrong in it."""
    path = Path(path)
    faults: list[UserError] = []
    tree = read_file(path, faults)
    if tree.child("hypotheses") is None:
        sweep = load_sweep(path)
        claims = claims_of(sweep)
        if claims is None:
            raise UserError(
                "says neither `hypotheses` nor `claims`", file=path, remedy="see docs/claims.md for how to write them"
            )
        return claims
    if faults:
        raise UserErrors.of(faults)
    found = validated(ClaimsFile, tree.plain(), what="the file of claims", place=tree)
    sweeps = {name: load_sweep(path.parent / name) for name in found.sweeps}
    return Claims(found, path, sweeps, found.description)


def claims_of(sweep: SweepFile) -> Claims | None:
    """The claims that the runs of `sweep` are made for; None where it names none. Raises UserError where its file of
    claims does not name the sweep."""
    path = sweep.source.path
    if sweep.claims is None:
        return None
    if isinstance(sweep.claims, ClaimsSection):
        return Claims(sweep.claims, path, {path.name: sweep}, sweep.description)
    claims = load_claims(path.parent / sweep.claims)
    own = [name for name, one in claims.sweeps.items() if one.source.path.resolve() == path.resolve()]
    if not own:
        error = UserError(f"{claims.path} does not name this sweep", key="claims", remedy="add it to `sweeps` there")
        raise sweep.source.at(error, ("claims",))
    # With what was overridden on the command line: another state than the file's.
    return replace(claims, sweeps={**claims.sweeps, own[0]: sweep})
