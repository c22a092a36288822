"""What the tests of students use."""

from tests.students.conftest import _fp32, bench, corpus, static, tiny
from tests.threads import one_thread

__all__ = ["_fp32", "bench", "corpus", "one_thread", "static", "tiny"]
