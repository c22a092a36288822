"""Who teaches a method in its checks: the simplest teacher that gives what the method needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.labelling.labels.teacher import GIVES, Teacher
from harness.plugin_checks.check import Broken
from harness.plugin_checks.stub_teacher import StubTeacher, StubTeacherSettings
from harness.plugin_checks.stub_writer import StubWriter, StubWriterSettings
from harness.plugin_checks.tiny_models import tiny_decoder, tiny_fusion
from harness.teachers.attention.fid import FiD, FiDSettings
from harness.teachers.likelihood.query_likelihood import Likelihood, LikelihoodSettings


class StubSpec(NamedTuple):
    """How the teacher is to be. `other` is another teacher of the same kind; a `scored` order comes with likelihoods
    that nobody needs."""

    home: Path
    failing: bool = False
    scored: bool = False
    other: bool = False


def teacher_for(needs: Sequence[str], part: StubSpec) -> Teacher:
    """A teacher that gives all of `needs` that a teacher can give. Raises Broken ``runs`` when there is none."""
    wanted = {*needs} & {*GIVES}
    make = next((make for gives, make in _CAST if wanted <= {*gives}), None)
    if make is None:
        raise Broken(f"no one teacher gives {' and '.join(sorted(wanted))}", "runs")
    return make(part)


def may_fail(needs: Sequence[str]) -> bool:
    """Whether the teacher of `teacher_for` can be one that gives no answer to some queries."""
    return {*needs} & {*GIVES} <= {"order", "text"}


def _double(part: StubSpec) -> Teacher:
    return StubTeacher(StubTeacherSettings(scored=part.scored, failing=part.failing or part.other))


def _writer(part: StubSpec) -> Teacher:
    return StubWriter(StubWriterSettings(failing=part.failing, skipped=int(part.other)))


def _reader(part: StubSpec) -> Teacher:
    folder = tiny_decoder(part.home / f"reader-{int(part.other)}", int(part.other))
    settings = LikelihoodSettings(
        model=str(folder), prompt="question", max_passage_tokens=24, max_query_tokens=8, precision="fp32"
    )
    return Likelihood(settings)


def _fusion(part: StubSpec) -> Teacher:
    return FiD(
        FiDSettings(model=str(tiny_fusion(part.home / f"fusion-{int(part.other)}", int(part.other))), max_tokens=48)
    )


_CAST: tuple[tuple[tuple[str, ...], Callable[[StubSpec], Teacher]], ...] = (
    (("order",), _double),
    (("order", "text"), _writer),
    (("order", "likelihoods", "attention"), _reader),
    (("order", "cross-attention"), _fusion),
)
"""What each gives; the first that gives enough is taken."""
