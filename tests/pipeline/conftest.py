"""A Ray cluster of two nodes on this machine, for all tests that are marked ``ray``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.two_nodes import TwoNodes


@pytest.fixture(scope="session")
def two_nodes() -> Iterator[TwoNodes]:
    pytest.importorskip("ray", reason="ray is not installed: make test-ray sets it up")
    cluster = TwoNodes()
    yield cluster
    cluster.close()
