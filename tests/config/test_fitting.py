"""Teachers say what they give, methods what they need; a sweep brings them together and never offers what lacks
something."""

from __future__ import annotations

import pytest

from harness.config.fitting import lacks
from harness.labelling.labels.teacher import GIVES, Teacher
from harness.method import Method
from harness.plugins import plugins
from tests.config.conftest import Load, Refused

HEAD = (
    "collections: semanlink\nbudgets: 1\nteachers: {lik: {kind: likelihood}, llm: {kind: litellm, model: m}, best: "
    "{kind: oracle}}\n"
)


@pytest.mark.parametrize(
    ("method", "fitting"),
    [("direct", ("lik", "llm", "best")), ("replug-lsr", ("lik",)), ("synthetic-queries", ("llm",))],
)
def test_a_method_is_offered_the_teachers_that_give_what_it_needs(
    load: Load, method: str, fitting: tuple[str, ...]
) -> None:
    assert load(f"{HEAD}methods: [{method}]").methods[0].teachers == fitting


def test_what_lacks_is_said_with_the_kinds_that_would_do(refused: Refused) -> None:
    [error] = refused(
        "collections: semanlink\nbudgets: 1\nteachers: {llm: {kind: litellm, model: m}}\nmethods: [replug-lsr]"
    )
    assert error.message == "'replug-lsr' needs a teacher, and none of the defined teachers gives likelihoods"
    assert error.remedy == "define one: teachers: {NAME: {kind: KIND, ...}}, KIND being likelihood"
    [error] = refused(f"{HEAD}methods: [fid-kd]")
    assert error.message == "'fid-kd' needs a teacher, and none of the defined teachers gives cross-attention"
    assert error.remedy == "leave 'fid-kd' out: no kind of teacher that is installed gives cross-attention"
    [error] = refused(f"{HEAD}methods:\n- {{method: synthetic-queries, teachers: [llm, lik]}}")
    assert (error.key, error.line) == ("methods.0.teachers.1", 5)
    assert (
        error.message
        == "'synthetic-queries' needs text, which 'lik' does not give: a likelihood gives order and likelihoods"
    )


def test_every_installed_method_has_a_teacher_that_fits() -> None:
    teachers = plugins(Teacher)
    for name, method in plugins(Method).items():
        if "teacher" in method.axes:
            assert {*method.needs} & {*GIVES}, name
            assert any(not lacks(teacher, method) for teacher in teachers.values()), name


def test_who_serves_the_methods_that_need_more_than_an_order() -> None:
    def kinds(name: str) -> set[str]:
        return {kind for kind, teacher in plugins(Teacher).items() if not lacks(teacher, plugins(Method)[name])}

    chat = kinds("synthetic-queries")
    assert {"litellm", "transformers", "vllm"} <= chat and not chat & {"likelihood", "fid", "oracle", "recorded"}
    assert kinds("gpl") == kinds("syntriever-stages") == chat
    assert kinds("fid-kd") == {"fid"} and kinds("adist") == {"likelihood"}
    assert kinds("art") == kinds("loop") == {"likelihood", "vllm-likelihood"}
    assert kinds("direct") == set(plugins(Teacher))
