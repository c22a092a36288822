"""Keys say what determines an output, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from harness.collections.sample import QuerySubset
from harness.plugins import Settings
from harness.stage import Context, Stage, canonical, digest, digest_plain
from tests.pipeline.toys import Number, Sum

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


class Asking(Settings):
    """Settings with one transport field."""

    model: str = "small"
    concurrency: int = Field(8, json_schema_extra={"transport": True})


@dataclass(frozen=True)
class Text:
    """Stands for its content."""

    name: str
    content: str

    @property
    def identity(self) -> str:
        return digest(self.content)


@dataclass(frozen=True, eq=False)
class Ask(Stage):
    """A stage with every sort of field."""

    kind: ClassVar[str] = "ask"
    settings: Asking
    text: Text
    draw: QuerySubset

    def run(self, out: Path, context: Context) -> None:
        raise NotImplementedError


def ask(concurrency: int = 8, model: str = "small", name: str = "a", content: str = "x", size: int = 10) -> Ask:
    return Ask(
        settings=Asking(model=model, concurrency=concurrency),
        text=Text(name, content),
        draw=QuerySubset(Number(value=1), 0, size),
    )


def test_names_and_transport_do_not_change_a_key() -> None:
    assert ask(concurrency=1, name="b").key == ask().key


@pytest.mark.parametrize("other", [ask(model="large"), ask(content="y"), ask(size=11)])
def test_settings_content_and_draw_change_a_key(other: Ask) -> None:
    assert other.key != ask().key


class Later(BaseModel):
    """Settings of which one came later."""

    model: str = "small"
    more: int = Field(20, json_schema_extra={"absent": 0})


class Former(BaseModel):
    """The same before it came."""

    model: str = "small"


def test_a_later_setting_that_says_what_was_so_before_changes_no_key() -> None:
    assert digest(Later(more=0)) == digest(Former())
    assert len({digest(Later(more=number)) for number in (0, 1, 20)}) == 3


def test_inputs_are_found_inside_dataclasses_and_tuples() -> None:
    assert [stage.key for stage in ask().inputs()] == [Number(value=1).key]
    assert len(list(Sum(parts=(Number(value=1), Number(value=2))).inputs())) == 2


def test_a_version_of_the_code_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Number(value=1).key
    monkeypatch.setattr(Number, "version", 2)
    assert Number(value=1).key != before


def test_what_has_no_identity_cannot_be_keyed() -> None:
    with pytest.raises(TypeError, match="no identity"):
        digest({"set": {1, 2}})


@given(PLAIN)
def test_plain_values_have_one_digest_whatever_the_order_of_their_keys(value: object) -> None:
    turned = dict(reversed(value.items())) if isinstance(value, dict) else value
    assert digest(value) == digest(turned) == digest(canonical(value)) == digest_plain(turned)
