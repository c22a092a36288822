"""The checks of all teachers of a sweep: the report behind ``harness doctor FILE``."""

from __future__ import annotations

from collections.abc import Iterator

from harness.doctor import Check
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.teacher import Task, Teacher
from harness.ledger.call_ledger import CallLedger
from harness.llm.chat_teacher import ChatTeacher
from harness.pipeline.diagnosis.teacher_diagnosis import TeacherDiagnosis
from harness.pipeline.planned_sweep import PlannedSweep
from harness.qa.answer_stages import Read


def diagnose_sweep(plan: PlannedSweep) -> dict[str, list[Check]]:
    """``{"checks": [{"name", "ok", "detail", "remedy"}]}`` of the sweep's teachers and reader, each asked one tiny
    question, which is paid for and kept in the workspace's ledger. Raises UserError where the sweep cannot be
    planned."""
    with plan.workspace as workspace:
        return {"checks": list(_checks(plan, workspace.ledger))}


def _checks(plan: PlannedSweep, ledger: CallLedger) -> Iterator[Check]:
    base = plan.sweep.source.path.parent
    for name, teacher in plan.teachers.items():
        yield from TeacherDiagnosis(name, teacher, base, ledger, _longest_prompt(plan, teacher)).checks()


def _longest_prompt(plan: PlannedSweep, teacher: Teacher) -> int:
    """Tokens of the longest prompt that the sweep asks of `teacher`: of those that are known, else by a guess."""
    store, longest = plan.workspace.store, 0
    for stage in plan.stages.values():
        asked = stage.teacher if isinstance(stage, Labels) else stage.reader if isinstance(stage, Read) else None
        if not isinstance(asked, ChatTeacher) or asked.billed_as is not teacher:
            continue
        tasks: list[Task] = []
        if isinstance(stage, Labels) and all(store.has(needed) for needed in stage.task_inputs):
            tasks = stage.tasks(store.place(stage.subset.pool), store.place(stage.candidates))
        if isinstance(stage, Read) and store.has(stage.source):
            tasks = stage.tasks(store.place(stage.source))
        depth = stage.depth if isinstance(stage, Labels) else stage.passages if isinstance(stage, Read) else 1
        longest = max(longest, asked.longest_prompt(tasks, depth))
    return longest
