"""What the parts of a card have in common, and what older cards called some of their keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, JsonValue, StringConstraints

Line = Annotated[str, StringConstraints(max_length=300)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,128}$")]
Free = dict[str, JsonValue]
"""A section that may hold anything that is plain data."""
_VERSION_1 = {
    "category": "group",
    "type": "standing",
    "usd_standalone": "usd_alone",
    "usd_incurred": "usd_here",
    "seconds_standalone": "seconds_alone",
    "durations_standalone": "durations_alone",
}
"""Keys of cards, which are written in version 2, and what version 1 called the same; both are read."""


def either(key: str) -> AliasChoices:
    """A key of version 2, or what version 1 called it."""
    return AliasChoices(key, _VERSION_1[key])


class CardSection(BaseModel):
    """Base of the parts: unknown keys are errors, numbers are finite, keys on disk may hold spaces as ir_metadata's
    do."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True
    )
