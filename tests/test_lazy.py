"""Lazy modules: nothing is imported before the first use, and then everything is as if it had been imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness._lazy import lazy


def test_nothing_is_imported_before_the_first_use() -> None:
    code = """
import sys
from harness._lazy import lazy
wave = lazy("wave")
before = "wave" in sys.modules
wave.Error
print(before, "wave" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]


def test_attributes_and_parts_of_a_package_are_found() -> None:
    etree = lazy("xml").etree

    assert etree.__name__ == "xml.etree"
    assert lazy("json").dumps([1]) == "[1]"


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lazy("json").nothing  # noqa: B018
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        lazy("no_such_package").anything  # noqa: B018
