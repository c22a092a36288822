"""What the tests of teachers use."""

from tests.teachers.conftest import ledger, tiny
from tests.threads import one_thread

__all__ = ["ledger", "one_thread", "tiny"]
