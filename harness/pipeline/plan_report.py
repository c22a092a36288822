"""What a sweep would do and how far it is: the reports behind ``harness plan`` and ``harness status``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from harness.config.cells import expand
from harness.config.sweep_file import SweepFile
from harness.ledger.call_ledger import SweepLedger
from harness.masking import masked
from harness.pipeline.builder import PlannedCell
from harness.pipeline.cost import labelling_cost
from harness.pipeline.diagnosis.preflight import disk_free, disk_needed, unready_teachers
from harness.pipeline.forecast.shared_queries import shared_queries, shared_text
from harness.pipeline.graph import closure
from harness.pipeline.labels.failed_labels import failed_labels, failed_labels_text
from harness.pipeline.outcome.failures import Failures
from harness.pipeline.outcome.sweep_failures import unplanned_notices
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.store import Store
from harness.pipeline.upkeep.disk_use import disk_text, disk_use
from harness.stage import Stage
from harness.text import clock, counted

Report = dict[str, Any]


def plan_report(plan: PlannedSweep) -> Report:
    """Distinct stages, how many are done, LLM calls, tokens and USD still to pay, rough time. Runs nothing."""
    store, cells, stages = plan.workspace.store, plan.cells, plan.stages
    to_run = plan.waiting_in(store)
    with plan.workspace.open_ledger() as ledger:
        cost = labelling_cost(to_run.values(), plan.teachers, store, ledger)
    return {
        "cells": len(cells) + len(plan.unplanned),
        "cells_done": sum(store.has(cell.evaluate) for cell in cells),
        "cells_same": expand(plan.sweep).dropped,
        "numerics": str(plan.numerics),
        "stages": {
            "distinct": len(stages),
            "cached": len(stages) - len(to_run),
            "naive": sum(len(closure(cell.finals)) for cell in cells),
            "by_kind": _by_kind(stages, to_run),
        },
        "tuning": _tuning(plan.sweep, cells),
        "shared_queries": list(shared_queries(cells, store)),
        "llm": cost,
        "seconds": _rough_seconds(to_run, store),
        "notices": [
            *(masked(str(one)) for one in plan.sweep.source.notices),
            *(masked(str(one)) for one in unready_teachers(plan, to_run.values(), store)),
            *unplanned_notices(plan.unplanned),
            *plan.collection_notices,
        ],
        "collections": plan.collection_reports(),
        "disk_gb_free": round(disk_free(plan.workspace.path) / 2**30, 1),
        "disk_gb_needed": round(disk_needed(to_run.values(), store) / 2**30, 3),
        "disk": disk_use(plan, store),
    }


def _tuning(sweep: SweepFile, cells: Sequence[PlannedCell]) -> Report | None:
    """How many trials the choice of each tuned cell is made from, and how many stages that adds to those of one trial a
    cell."""
    choices = [cell.choice for cell in cells if cell.choice]
    if not (sweep.tune and choices):
        return None
    firsts = (choice.trials[0].retriever for choice in choices)
    alone = closure(first for first in firsts if isinstance(first, Stage))
    return {
        "trials": len(choices[0].trials),
        "split": sweep.tune.split,
        "metric": sweep.tune.metric,
        "cells": len(choices),
        "stages": len(closure(choices)) - len(alone),
    }


def _by_kind(stages: dict[str, Stage], to_run: dict[str, Stage]) -> dict[str, dict[str, int]]:
    total, waiting = Counter(s.kind for s in stages.values()), Counter(s.kind for s in to_run.values())
    return {kind: {"distinct": total[kind], "to_run": waiting[kind]} for kind in total}


def _rough_seconds(to_run: dict[str, Stage], store: Store) -> float | None:
    past = store.past_seconds()
    if any(stage.kind not in past for stage in to_run.values()):
        return None
    return round(sum(past[stage.kind] for stage in to_run.values()), 1)


def render_plan(report: Report) -> Group:
    """The plan for people."""
    stages, llm = report["stages"], report["llm"]
    table = Table("stage", box=None)
    table.add_column("distinct", justify="right")
    table.add_column("to run", justify="right")
    for kind, counts in stages["by_kind"].items():
        table.add_row(kind, str(counts["distinct"]), str(counts["to_run"]))
    to_run, same = stages["distinct"] - stages["cached"], report["cells_same"]
    seconds = (
        f"about {clock(report['seconds'])}" if report["seconds"] is not None else "time not known before a first run"
    )
    return Group(
        *(f"notice: {escape(notice)}" for notice in report["notices"]),
        f"{counted(report['cells'], 'cell')} ({report['cells_done']:,} done; {same:,} more "
        f"{'means the same and was' if same == 1 else 'mean the same and were'} dropped)",
        f"{to_run:,} of {counted(stages['distinct'], 'distinct stage')} to run; cell by cell it would be "
        f"{stages['naive']:,}; {seconds}",
        f"models compute in {report['numerics']}",
        *_tuning_text(report["tuning"]),
        *map(escape, shared_text(report["shared_queries"])),
        disk_text(report["disk"]),
        _teacher_text(llm),
        *(f"  {teacher['name']}: {_teacher_text(teacher).removeprefix('LLM: ')}" for teacher in llm["teachers"]),
        table,
    )


def _tuning_text(tuning: Report | None) -> list[str]:
    if tuning is None:
        return []
    how = (
        f"{tuning['trials']} trials for each of {tuning['cells']} cells, the best on {tuning['split']} by "
        f"{tuning['metric']}"
    )
    return [f"tuning: {how}; {tuning['stages']} of the stages are for that"]


def _teacher_text(cost: Report) -> str:
    about = "" if cost["exact"] else "about "
    usd = f"{cost['usd']:.2f} USD to pay" if cost["priced"] else "price not known: set price in the teacher's settings"
    return (
        f"LLM: {about}{cost['calls']:,} calls, {cost['input_tokens']:,} tokens in, at most "
        f"{cost['output_tokens']:,} out, {usd}"
    )


def status_report(plan: PlannedSweep) -> Report:
    """``{"stages": {done, running, failed, waiting, not needed}, "labels": {queries, failed, reasons}, "cells":
    [{"cell", "state", "reason"}], "failures": [{"stage", "reason", "traceback"}], "llm": {...}, "disk": {...}}`` of a
    sweep, from the workspace alone. Not needed is what is not there and nothing waits for."""
    store, failures = plan.workspace.store, plan.workspace.failures
    waiting = plan.waiting_in(store)
    states = {
        key: _state(stage, store, failures) if key in waiting or store.has(stage) else ("not needed", "")
        for key, stage in plan.stages.items()
    }
    return {
        "stages": dict(Counter(state for state, _ in states.values())),
        "labels": failed_labels(plan.stages.values(), store),
        "cells": [
            *(_cell_row(cell, states) for cell in plan.cells),
            *({"cell": str(one.cell), "state": "failed", "reason": one.fault.reason} for one in plan.unplanned),
        ],
        "failures": [
            *(
                _failure_row(f"{stage.kind} {stage.label}".strip(), stage.key, failures)
                for key, stage in plan.stages.items()
                if states[key][0] == "failed"
            ),
            *(
                {"stage": f"plan {one.cell}", "reason": one.fault.reason, "traceback": one.fault.traceback}
                for one in plan.unplanned
            ),
        ],
        "llm": ledger_report(plan, plan.workspace.ledger),
        "disk": disk_use(plan, store),
    }


def ledger_report(plan: PlannedSweep, ledger: SweepLedger) -> Report | None:
    """USD that the sweep paid in all its runs, may have paid for answers that were lost, and has reserved for calls
    under way; under ``workspace`` the same of all sweeps. None where nothing was ever asked."""
    if not ledger.path.is_file():
        return None
    ledger.tidy()
    return _balance(ledger, plan.account) | {"workspace": _balance(ledger, None)}


def _balance(ledger: SweepLedger, account: str | None) -> Report:
    found = ledger.balance(account)
    return {
        "calls": found.calls,
        "usd": found.paid,
        "usd_unconfirmed": found.unconfirmed,
        "usd_reserved": found.reserved,
        "calls_under_way": ledger.under_way(account),
    }


def _state(stage: Stage, store: Store, failures: Failures) -> tuple[str, str]:
    if store.has(stage):
        return "done", ""
    if store.is_locked(stage):
        return "running", f"{stage.kind} {stage.label}"
    reason = failures.reason(stage.key)
    return ("failed", f"{stage.kind} {stage.label}: {reason}") if reason else ("waiting", "")


def _failure_row(stage: str, key: str, failures: Failures) -> Report:
    return {"stage": stage, "reason": failures.reason(key), "traceback": failures.traceback(key)}


def _cell_row(cell: PlannedCell, states: dict[str, tuple[str, str]]) -> Report:
    if all(states[final.key][0] == "done" for final in cell.finals):
        return {"cell": str(cell.cell), "state": "done", "reason": ""}
    inside = [states[key] for key in closure(cell.finals)]
    for wanted in ("failed", "running"):
        for state, detail in inside:
            if state == wanted:
                return {"cell": str(cell.cell), "state": state, "reason": detail}
    return {"cell": str(cell.cell), "state": "waiting", "reason": ""}


def render_status(report: Report) -> Group:
    """The status for people: a line of counts, then every cell that is not done."""
    table = Table("cell", "state", "why", box=None)
    open_cells = [row for row in report["cells"] if row["state"] != "done"]
    for row in open_cells:
        table.add_row(escape(row["cell"]), row["state"], escape(row["reason"]))
    done = len(report["cells"]) - len(open_cells)
    counts = ", ".join(f"{number} {state}" for state, number in sorted(report["stages"].items()))
    head = f"{done:,} of {counted(len(report['cells']), 'cell')} done; stages: {counts}"
    money = [_money_text(report["llm"])] if report["llm"] else []
    head = "\n".join([head, *failed_labels_text(report["labels"]), disk_text(report["disk"]), *money])
    return Group(escape(head), table) if open_cells else Group(escape(head))


def failure_traces(report: Report) -> str:
    """The tracebacks of what failed, for people."""
    return "\n\n".join(f"{row['stage']}: {row['reason']}\n{row['traceback'] or ''}" for row in report["failures"])


def _money_text(llm: Report) -> str:
    whole = llm["workspace"]
    lost = f", {llm['usd_unconfirmed']:.2f} may have been billed for answers that never came"
    return (
        f"LLM: {llm['usd']:.2f} USD paid for {llm['calls']:,} calls, {llm['usd_reserved']:.2f} reserved for "
        f"{llm['calls_under_way']:,} under way{lost * bool(llm['usd_unconfirmed'])}; all sweeps of the workspace: "
        f"{whole['usd']:.2f} paid, {whole['usd_reserved']:.2f} reserved"
    )


def render_verification(report: Report) -> Table:
    """The verification for people."""
    table = Table("folder", "verdict", box=None)
    for row in report["results"]:
        without = (
            f" ({', '.join(row['unchecked'])} not recomputed: no answers in the folder)" if row["unchecked"] else ""
        )
        table.add_row(escape(row["folder"]), escape("; ".join(row["problems"]) or f"as published{without}"))
    return table
