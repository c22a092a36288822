"""Any error of pydantic becomes one clear line with key, value and what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field, ValidationError
from pydantic_core import InitErrorDetails
from pydantic_core.core_schema import ErrorType

from harness.errors import UserError, UserErrors
from harness.plugins import Settings
from harness.validation import faults_of, validated, validated_json

NUMBERS = [
    "gt",
    "ge",
    "lt",
    "le",
    "multiple_of",
    "min_length",
    "max_length",
    "actual_length",
    "tz_expected",
    "tz_actual",
]
NUMBERS += ["expected_version", "max_digits", "decimal_places", "whole_digits"]
TEXTS = [
    "attribute",
    "method_name",
    "error",
    "class_name",
    "field_type",
    "pattern",
    "encoding",
    "encoding_error",
    "expected",
]
TEXTS += ["class", "discriminator", "tag", "expected_tags", "expected_schemes"]
FACTS: dict[str, Any] = dict.fromkeys(NUMBERS, 1) | dict.fromkeys(TEXTS, "x")
"""Whatever the errors of pydantic want to know."""


class Inner(Settings):
    """A mapping inside another one."""

    size: int = Field(1, gt=0)
    names: tuple[Annotated[str, Field(max_length=3)], ...] = ()


class Outer(Settings):
    """One field of every kind that settings have."""

    name: str
    share: float = Field(0.5, ge=0, le=1)
    how: Literal["fast", "slow"] = "fast"
    flag: bool = False
    inner: Inner = Inner()
    either: Inner | Literal["all"] = "all"
    many: dict[str, Inner] = Field({})
    when: AwareDatetime | None = None
    place: Path | None = None


def faults(value: Any, **about: Any) -> tuple[UserError, ...]:
    with pytest.raises(UserErrors) as caught:
        validated(Outer, value, what="the thing", **about)
    return caught.value.parts


@pytest.mark.parametrize(
    "kind", [kind for kind in get_args(ErrorType) if not kind.endswith("_error") or kind == "literal_error"]
)
def test_every_error_of_pydantic_is_one_line_with_the_value(kind: str) -> None:
    error = ValidationError.from_exception_data(
        "x", [InitErrorDetails(type=kind, loc=("name",), input="given", ctx=FACTS)]
    )
    [fault] = faults_of(error, Outer)
    assert fault.path == ("name",)
    assert fault.message.isprintable()
    assert "should" not in fault.message
    if kind in ("missing", "extra_forbidden"):
        assert fault.missing or fault.remedy
    else:
        assert "'given'" in fault.message or fault.message.endswith("item, not 1")


@pytest.mark.parametrize(
    ("value", "key", "message", "remedy"),
    [
        ({"share": -1}, "share", "must be at least 0, not -1", None),
        ({"share": 7}, "share", "must be at most 1, not 7", None),
        ({"share": "half"}, "share", "must be a number, not 'half'", "write it in digits"),
        ({"inner": {"size": 0}}, "inner.size", "must be greater than 0, not 0", None),
        ({"inner": {"size": 1.5}}, "inner.size", "must be a whole number, not 1.5", None),
        ({"inner": {"sise": 1}}, "inner.sise", "unknown key 'sise'", "did you mean 'size'?"),
        ({"inner": 3}, "inner", "must be a mapping (key: value), not 3", None),
        ({"inner": {"names": ["ok", "long"]}}, "inner.names.1", "must have at most 3 characters, not 'long'", None),
        ({"how": "fasd"}, "how", "must be 'fast' or 'slow', not 'fasd'", "did you mean 'fast'?"),
        ({"how": 3}, "how", "must be 'fast' or 'slow', not 3", None),
        ({"flag": "perhaps"}, "flag", "must be true or false, not 'perhaps'", None),
        ({"either": {"size": 0}}, "either.size", "must be greater than 0, not 0", None),
        (
            {"either": "al"},
            "either",
            "must be a mapping (key: value), not 'al' or must be 'all', not 'al'",
            "did you mean 'all'?",
        ),
        ({"many": {"a": {"size": None}}}, "many.a.size", "must be a whole number, not nothing", None),
        ({"name": 3}, "name", "must be text, not 3", "put it in quotes"),
        ({"when": "2020-01-01T00:00:00"}, "when", "must have timezone info, not '2020-01-01T00:00:00'", None),
    ],
)
def test_a_fault_says_key_value_and_what_would_be_right(
    value: dict[str, Any], key: str, message: str, remedy: str | None
) -> None:
    [fault] = faults({"name": "x", **value})
    assert (fault.key, fault.message, fault.remedy) == (key, message, remedy)


def test_all_faults_are_told_each_with_its_place() -> None:
    found = faults({"share": 2, "inner": {"sise": 1}}, file=Path("x.yaml"), key="top", show="harness show things")
    assert [str(fault) for fault in found] == [
        "x.yaml: top.name: this key is required\n  see: harness show things",
        "x.yaml: top.share: must be at most 1, not 2\n  see: harness show things",
        "x.yaml: top.inner.sise: unknown key 'sise'\n  did you mean 'size'?",
    ]


def test_without_a_file_the_thing_is_named() -> None:
    [fault] = faults({"name": "x", "share": 2})
    assert str(fault) == "the thing: share: must be at most 1, not 2"


def test_one_fault_speaks_for_the_whole_error() -> None:
    with pytest.raises(UserError) as caught:
        validated(Outer, {"name": "x", "share": 2}, what="the thing")
    assert (caught.value.key, caught.value.message) == ("share", "must be at most 1, not 2")


keys = st.text(min_size=1, max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=300)
    | st.sampled_from(["fast", "all", "name", "size"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys | st.sampled_from(list(Outer.model_fields)), inner, max_size=4)
    ),
    max_leaves=10,
)
things = st.dictionaries(st.sampled_from([*Outer.model_fields, "nmae"]), values, max_size=5) | values


@given(things)
def test_whatever_is_given_it_is_taken_or_refused_in_clear_single_lines(value: Any) -> None:
    try:
        validated(Outer, value, what="the thing", show="harness show things")
    except UserErrors as error:
        assert error.parts
        for fault in error.parts:
            assert all(letter.isprintable() for letter in fault.message + (fault.key or ""))
            assert "Input should" not in fault.message
            assert fault.remedy
            assert fault.key is not None or fault.message.startswith("must be a mapping")


def test_text_of_strangers_reaches_no_terminal_as_it_is() -> None:
    [fault] = faults({"name": "x", "\x1b[31mred\u202e": 1})
    assert str(fault).isprintable() or "\n" in str(fault)
    assert "\x1b" not in str(fault)
    assert "\u202e" not in str(fault)


@pytest.mark.parametrize("text", ["", "{", '{"name": }', b"\xff"])
def test_what_is_no_json_is_refused_where_it_stands(text: str | bytes) -> None:
    with pytest.raises(UserError) as caught:
        validated_json(Inner, text, what="a row", file=Path("x.json"))
    assert str(caught.value).startswith("x.json: is not JSON: ")


def test_faults_have_the_line_of_the_whole() -> None:
    with pytest.raises(UserErrors) as caught:
        validated(Inner, {"size": 0, "sise": 1}, what="a row", file=Path("x.jsonl"), line=7)
    assert [(fault.line, fault.key) for fault in caught.value.parts] == [(7, "size"), (7, "sise")]
