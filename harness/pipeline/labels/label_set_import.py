"""A published set of labels comes into a workspace as the calls that it stands for, so that a sweep with this teacher
asks for none of them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import UserError
from harness.labelling.labels.label_dataset import DatasetAbout, DatasetRow, LabelDataset, read_dataset, text_mark
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.teacher import Task
from harness.ledger.ledger import Ledger
from harness.pipeline.budgets import largest_budgets
from harness.pipeline.labels.label_inputs import ensure_stages
from harness.pipeline.labels.label_transfer import Taken, taken_text
from harness.pipeline.labels.published_teacher import LabelledTeacher, labelled_teachers
from harness.pipeline.planned_sweep import PlannedSweep
from harness.text import counted, plain

_REMEDIES = {
    "content_hash": "take the collection in the revision whose content hash stands on the set's card",
    "identity": "compare model's hash, prompt, settings and numerics on the set's card with the sweep's; where only "
    "numerics differ, give --set numerics=CLASS",
}


class _Matched(NamedTuple):
    """The tasks of a sweep that a set has labelled, with these labels, and how many it has not."""

    tasks: tuple[Task, ...]
    rows: Mapping[str, DatasetRow]
    missing: int


def import_label_set(file: Path, plan: PlannedSweep) -> dict[str, Any]:
    """Take over the calls behind the labels in `file` that teachers of the sweep would ask for;
    ``{"file", "sets": [{"collection", "teacher", "lists", "missing", "calls": {...}}]}``, calls as `Taken`.

    What the ledger holds already stays. First stage and pool are made where the workspace lacks them; no teacher is
    asked. Raises UserError where no teacher of the sweep is the set's (model, prompt, settings, numerics, candidates,
    content), and where labels of its kind do not say what a call brought.
    """
    dataset = read_dataset(file)
    wanted = _those_of(dataset, [one for one in labelled_teachers(plan) if one.own], file, plan)
    inputs = [needed for one in wanted for stage in one.own for needed in stage.task_inputs]
    ensure_stages(inputs, plan, "the candidates could not be found")
    return {"file": str(file), "sets": [_import_one(one, dataset, file, plan) for one in wanted]}


def _those_of(
    dataset: LabelDataset, teachers: Sequence[LabelledTeacher], file: Path, plan: PlannedSweep
) -> list[LabelledTeacher]:
    about = dataset.header.about
    found = [one for one in teachers if one.about() == about]
    if found:
        return found
    differing = [list(about.differences(one.about())) for one in teachers]
    nearest = min(differing, key=len, default=[])
    if not nearest or len(nearest) == len(DatasetAbout.model_fields):
        raise UserError("no teacher of this sweep labels", file=plan.sweep.source.path, key="teachers")
    key, there, here = nearest[0]
    raise UserError(
        plain(f"the set has {there!r}, this sweep {here!r}", 300),
        file=file,
        key=key,
        remedy=_REMEDIES.get(key, "give the sweep that these labels were published from, or one like it"),
    )


def _import_one(one: LabelledTeacher, dataset: LabelDataset, file: Path, plan: PlannedSweep) -> dict[str, Any]:
    matched = _matched(one, {row.query: row for row in dataset.rows}, plan)
    calls = list(one.teacher.calls_of(matched.tasks, {query: row.ranking() for query, row in matched.rows.items()}))
    if not calls and (matched.tasks or not any(row.scores for row in dataset.rows)):
        raise UserError(
            f"labels of the kind '{one.teacher.name}' do not say what its calls brought",
            file=file,
            remedy=f"train on them with the teacher {{kind: recorded, file: {file}}}",
        )
    taken = Taken()
    with closing(Ledger(plan.workspace.ledger_file)) as ledger:
        taken.add(*ledger.merge(calls))
    names = {"collection": one.collection.name, "teacher": one.name}
    return names | {"lists": len(matched.tasks), "missing": matched.missing, "calls": vars(taken)}


def _matched(one: LabelledTeacher, rows: Mapping[str, DatasetRow], plan: PlannedSweep) -> _Matched:
    """Labels of these very texts and candidates. A label that failed is asked for again."""
    tasks = {task.query: task for stage in largest_budgets(one.own) for task in _tasks(stage, plan)}
    found = [task for task in tasks.values() if (row := rows.get(task.query)) and row.scores and _same(row, task)]
    return _Matched(tuple(found), {task.query: rows[task.query] for task in found}, len(tasks) - len(found))


def _tasks(stage: Labels, plan: PlannedSweep) -> list[Task]:
    pool, candidates = (plan.workspace.store.read(one) for one in stage.task_inputs)
    return [task for task in stage.tasks(pool, candidates) if task.candidates]


def _same(row: DatasetRow, task: Task) -> bool:
    return row.mark == text_mark(task.text) and row.given == tuple(shown.id for shown in task.candidates)


def render_set_import(report: Mapping[str, Any]) -> str:
    """What was taken over, and what is left to ask, for people."""
    lines = [f"{report['file']}:"]
    for row in report["sets"]:
        left = f"; {counted(row['missing'], 'list')} of the sweep not in it" if row["missing"] else ""
        about = f"{plain(row['collection'])}, {plain(row['teacher'])}: {counted(row['lists'], 'list')}"
        lines.append(f"  {about}, {taken_text('calls', row['calls'])}{left}")
    return "\n".join(lines)
