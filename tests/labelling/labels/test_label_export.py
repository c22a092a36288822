"""Labels that move: what comes out is what went in, and no damaged file leaves a trace."""

from __future__ import annotations

import gzip
import hashlib
import json
import multiprocessing
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.labelling.labels.label_export import LabelReader, write_labels
from harness.labelling.labels.label_files import read_rankings, write_rankings
from harness.labelling.labels.label_stage import RANKINGS, SUMMARY, summarise
from harness.labelling.labels.ranking import Ranking
from harness.ledger.calls import Call, call_key
from harness.ledger.ledger import Ledger
from harness.pipeline.labels.label_transfer import Finished, export_labels, import_labels
from harness.pipeline.workspace import Workspace
from harness.progress import silent
from harness.stage import digest

RANKED = [
    Ranking("q1", ("d2", "d1"), ("d3",), "partial", "missing", "[2] > [1]\n…", (0.1, 1 / 3, -2e-9)),
    Ranking("q2", ("d1",), raw='{"é": "\u2028"}'),
    Ranking("q3", (), verdict="failed", reason="no candidates"),
]


def call(name: object, response: str = "yes", **more: Any) -> Call:
    return Call(call_key("model", str(name)), "model", f'{{"ask": "{name}"}}', response, created=1.5, **more)


def labelled(workspace: Path, name: str, rankings: list[Ranking]) -> Finished:
    """Finished labels in the store of `workspace`, with a manifest as the pipeline writes it."""
    about = {"kind": "labels", "version": 1, "fields": {"draw": name}}
    stage, store = Finished(digest(about)), Workspace(workspace).store
    with store.lock(stage), store.draft(stage) as draft:
        write_rankings(draft / RANKINGS, rankings)
        summary = summarise(rankings) | {
            "alone": {"calls": 2, "usd": 0.1},
            "here": {"calls": 0, "usd": 0.0},
            "seconds": 0.25,
        }
        (draft / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")
        store.commit(stage, draft, {"key": stage.key, **about, "label": "é", "seconds": 1.25})
    return stage


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace with 25 calls and two sets of labels."""
    ledger = Ledger(tmp_path / "home" / "ledger.sqlite")
    ledger.put_many(
        [
            call(number, f"[{number}]\n\x00\u2028😀", input_tokens=number, usd=0.1 * number, seconds=0.3)
            for number in range(25)
        ]
    )
    ledger.put_miss(call("missed", ""), "empty")
    for name in ("a", "b"):
        labelled(tmp_path / "home", name, RANKED)
    return tmp_path / "home"


@pytest.fixture
def file(home: Path) -> Path:
    export_labels(home.parent / "labels.jsonl.gz", Workspace(home), silent)
    return home.parent / "labels.jsonl.gz"


def tree(workspace: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(workspace)): path.read_bytes()
        for path in sorted((workspace / "store").rglob("*"))
        if path.is_file()
    }


def test_a_round_trip_brings_the_same_calls_and_the_same_bytes(home: Path, file: Path, tmp_path: Path) -> None:
    told = import_labels(file, Workspace(tmp_path / "away"), silent)
    nothing = {"same": 0, "conflicts": 0, "named": []}
    assert told == {"file": str(file), "calls": {"added": 25, **nothing}, "labels": {"added": 2, **nothing}}
    there = Ledger(tmp_path / "away" / "ledger.sqlite")
    assert list(there.calls()) == list(Ledger(home / "ledger.sqlite").calls())
    assert tree(tmp_path / "away") == tree(home)
    export_labels(tmp_path / "again.jsonl.gz", Workspace(tmp_path / "away"), silent)
    assert (tmp_path / "again.jsonl.gz").read_bytes() == file.read_bytes()
    for folder in (tmp_path / "away" / "store" / "labels").iterdir():
        assert read_rankings(Workspace(tmp_path / "away").store.read(Finished(folder.name)) / RANKINGS) == RANKED


def test_a_second_import_changes_nothing(file: Path, tmp_path: Path) -> None:
    import_labels(file, Workspace(tmp_path / "away"), silent)
    before = tree(tmp_path / "away"), list(Ledger(tmp_path / "away" / "ledger.sqlite").calls())
    told = import_labels(file, Workspace(tmp_path / "away"), silent)
    assert told["calls"] == {"added": 0, "same": 25, "conflicts": 0, "named": []}
    assert told["labels"] == {"added": 0, "same": 2, "conflicts": 0, "named": []}
    assert (tree(tmp_path / "away"), list(Ledger(tmp_path / "away" / "ledger.sqlite").calls())) == before


def test_what_differs_is_reported_and_stays(file: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    Ledger(away / "ledger.sqlite").put(call(3, "another answer"))
    mine = labelled(away, "a", RANKED[:1])
    told = import_labels(file, Workspace(away), silent)
    assert told["calls"] == {"added": 24, "same": 0, "conflicts": 1, "named": [call(3).key]}
    assert told["labels"] == {"added": 1, "same": 0, "conflicts": 1, "named": [mine.key]}
    assert Ledger(away / "ledger.sqlite").get(call(3).key).response == "another answer"  # type: ignore[union-attr]
    assert read_rankings(Workspace(away).store.read(mine) / RANKINGS) == RANKED[:1]


def test_damaged_labels_are_replaced_on_import_and_refused_on_export(home: Path, file: Path, tmp_path: Path) -> None:
    import_labels(file, Workspace(tmp_path / "away"), silent)
    victim = next((tmp_path / "away" / "store" / "labels").iterdir()) / RANKINGS
    victim.write_bytes(b"rot")
    with pytest.raises(UserError, match="labels are damaged"):
        export_labels(tmp_path / "rotten.jsonl.gz", Workspace(tmp_path / "away"), silent)
    assert not list(tmp_path.glob("*rotten*"))
    assert import_labels(file, Workspace(tmp_path / "away"), silent)["labels"]["added"] == 1
    assert tree(tmp_path / "away") == tree(home)


wild = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\n\r\0\u2028\u0085"\\\ufeff'), max_size=20)
calls = st.builds(
    Call,
    key=st.binary(min_size=32, max_size=32).map(bytes.hex),
    model=wild,
    request=wild,
    response=wild.filter(bool),
    input_tokens=st.integers(-(2**63), 2**63 - 1),
    cached_tokens=st.integers(0, 9),
    output_tokens=st.integers(0, 9),
    reasoning_tokens=st.integers(0, 9),
    usd=st.floats(0, 1e300),
    seconds=st.floats(0, 1e9),
    provider_id=wild,
    created=st.floats(1, 1e10),
)


@pytest.mark.slow
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=40,
    deadline=None,
    phases=(Phase.generate,),
)
@given(
    st.lists(calls, min_size=1, max_size=5, unique_by=lambda one: one.key),
    st.lists(wild, unique=True, max_size=3),
    wild,
)
def test_any_text_survives(tmp_path: Path, put: list[Call], ids: list[str], raw: str) -> None:
    for name in ("here", "there"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    Ledger(tmp_path / "here" / "ledger.sqlite").merge(put)
    labelled(tmp_path / "here", "wild", [Ranking(raw, tuple(ids), raw=raw)])
    export_labels(tmp_path / "wild.jsonl.gz", Workspace(tmp_path / "here"), silent)
    import_labels(tmp_path / "wild.jsonl.gz", Workspace(tmp_path / "there"), silent)
    assert list(Ledger(tmp_path / "there" / "ledger.sqlite").calls()) == sorted(put)
    assert tree(tmp_path / "there") == tree(tmp_path / "here")


def test_half_a_surrogate_pair_is_refused_on_both_sides(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_labels(tmp_path / "never.jsonl.gz", [call(1, "\ud800")])
    rewrite(file, lambda lines: [line.replace('"model":"model"', '"model":"\\uD800"') for line in lines])
    assert_refused(file, tmp_path, "damaged: .*surrogates", 2)


def test_an_unzipped_file_is_taken_over_too(home: Path, file: Path, tmp_path: Path) -> None:
    plain = tmp_path / "labels.jsonl"
    plain.write_bytes(gzip.decompress(file.read_bytes()))
    assert import_labels(plain, Workspace(tmp_path / "away"), silent)["labels"]["added"] == 2
    assert tree(tmp_path / "away") == tree(home)


def rewrite(file: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Change the lines before the end; the end is made to fit again, as someone who forges a file would."""
    *lines, _, _ = gzip.decompress(file.read_bytes()).decode().split("\n")
    text = "".join(change([f"{line}\n" for line in lines]))
    counts = {"calls": text.count('{"call":'), "labels": text.count('{"labels":')}
    end = json.dumps({"end": counts | {"sha256": hashlib.sha256(text.encode()).hexdigest()}})
    file.write_bytes(gzip.compress(f"{text}{end}\n".encode()))


def assert_refused(file: Path, tmp_path: Path, message: str, line: int | None) -> None:
    with pytest.raises(UserError, match=message) as caught:
        import_labels(file, Workspace(tmp_path / "refused"), silent)
    assert caught.value.line == line and caught.value.remedy and caught.value.file == file
    assert not (tmp_path / "refused").exists()


def test_a_forged_but_whole_file_is_taken(file: Path, tmp_path: Path) -> None:
    # What the next test's changes are measured against: the rewriting alone is no fault.
    rewrite(file, lambda lines: lines)
    assert import_labels(file, Workspace(tmp_path / "away"), silent)["calls"]["added"] == 25


def swap(old: str, new: str, line: int) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        assert old in lines[line - 1]
        return [*lines[: line - 1], lines[line - 1].replace(old, new, 1), *lines[line:]]

    return change


@pytest.mark.parametrize(
    ("change", "message", "line"),
    [
        (swap("distil-harness labels", "something", 1), "no file of labels", 1),
        (swap('"version":1', '"version":2', 1), "version 2 .* not known", 1),
        (swap('"key":"', '"key":"x', 2), "64 hexadecimal digits", 2),
        (swap('"key":"', '"key":"../../', 2), "64 hexadecimal digits", 2),
        (swap('"response":"', '"response":"","model":"', 2), "empty", 2),
        (swap('"usd":', '"usd":1e999,"usd_":', 2), "damaged", 2),
        (swap('"usd":', '"usd":NaN,"x":', 3), "NaN is no JSON", 3),
        (swap('"input_tokens":', '"input_tokens":99999999999999999999', 4), "tokens", 4),
        (swap('"provider_id":"",', "", 4), "fields are missing: provider_id", 4),
        (swap("{", "", 5), "damaged", 5),
        (swap("{", "[" * 100_000 + "{", 5), "damaged", 5),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "not in order", 3),
        (lambda lines: [lines[0], lines[1], lines[1], *lines[2:]], "one stands twice", 3),
        (lambda lines: [lines[0], *lines[2:5], *lines[1:2], *lines[5:]], "not in order", 5),
        (swap('"draw":"', '"draw":"other', 27), "not that of labels with this key", 27),
        (swap('"kind":"labels"', '"kind":"ranker"', 27), "not that of labels", 27),
        (swap('"queries":3', '"queries":4', 27), "3 rankings where 4", 31),
        (swap('"d2","d1"', '"d2","d2"', 28), "twice in one ranking", 28),
        (swap('"d2","d1"', '"d2",1', 28), "list of document ids", 28),
        (lambda lines: [*lines[:28], *lines[29:]], "2 rankings where 3", 30),
        (lambda lines: [*lines, lines[1]], "does not belong here: 'call'", 35),
        (lambda lines: [*lines, '{"a": 1, "b": 2}\n'], "no line of a file of labels", 35),
        (lambda lines: [*lines, "7\n"], "no line of a file of labels", 35),
    ],
)
def test_a_forged_line_is_named(
    change: Callable[[list[str]], list[str]], message: str, line: int, file: Path, tmp_path: Path
) -> None:
    rewrite(file, change)
    assert_refused(file, tmp_path, message, line)


def test_an_altered_response_fails_the_checksum(file: Path, tmp_path: Path) -> None:
    text = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(text.replace(b"[7]", b"[8]")))
    assert_refused(file, tmp_path, "counts or checksum", 35)
    file.write_bytes(gzip.compress(text + b"more\n"))
    assert_refused(file, tmp_path, "more after the end", 36)
    file.write_bytes(gzip.compress(b"".join(text.splitlines(keepends=True)[:10])))
    assert_refused(file, tmp_path, "ends early", 11)


@pytest.mark.slow
def test_every_truncation_and_flipped_bit_is_noticed_or_harmless(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    expected = [
        (type(entry), entry) if isinstance(entry, Call) else entry.manifest for entry in LabelReader(file).entries()
    ]
    damaged = tmp_path / "damaged.jsonl.gz"
    for place in range(0, len(whole), 7):
        damaged.write_bytes(whole[:place])
        assert_refused(damaged, tmp_path, ".", _line(damaged))
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        try:
            found = [
                (type(entry), entry) if isinstance(entry, Call) else entry.manifest
                for entry in LabelReader(damaged).entries()
            ]
        except UserError:
            continue
        # Parts of the gzip header, such as its time, mean nothing.
        assert place < 10 and found == expected


def _line(file: Path) -> int | None:
    with pytest.raises(UserError) as caught:
        for _ in LabelReader(file).entries():
            pass
    assert caught.value.line is not None
    return caught.value.line


def test_what_is_no_file_of_labels_is_said(tmp_path: Path) -> None:
    assert_refused(tmp_path / "absent.jsonl.gz", tmp_path, "no such file", None)
    (tmp_path / "old.jsonl").write_text('{"format": "distil-harness labels"}\n')
    assert_refused(tmp_path / "old.jsonl", tmp_path, "version None of the format is not known", 1)
    with pytest.raises(UserError, match="no calls and no finished labels"):
        export_labels(tmp_path / "out.jsonl.gz", Workspace(tmp_path / "empty"), silent)
    assert not (tmp_path / "empty").exists()


def test_an_endless_line_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.labelling.labels.label_lines.LONGEST", 1_000)
    with gzip.open(tmp_path / "bomb.jsonl.gz", "wb") as stream:
        stream.write(b" " * 5_000_000)
    assert_refused(tmp_path / "bomb.jsonl.gz", tmp_path, "far too long", 1)


def test_two_processes_import_at_once(home: Path, file: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    workers = [
        multiprocessing.get_context("fork").Process(target=import_labels, args=(file, Workspace(away), silent))
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 3
    assert tree(away) == tree(home)
    assert list(Ledger(away / "ledger.sqlite").calls()) == list(Ledger(home / "ledger.sqlite").calls())


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.pipeline.labels.label_transfer._AT_ONCE", 100)
    ledger = Ledger(tmp_path / "many" / "ledger.sqlite")
    ledger.put_many([Call(call_key("m", number), "m", "x" * 20_000, "y", created=1.0) for number in range(2_000)])
    tracemalloc.start()
    export_labels(tmp_path / "many.jsonl.gz", Workspace(tmp_path / "many"), silent)
    import_labels(tmp_path / "many.jsonl.gz", Workspace(tmp_path / "away"), silent)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(Ledger(tmp_path / "away" / "ledger.sqlite")) == 2_000
    # All requests together take 40 MB, one transaction of them 2 MB.
    assert peak < 8e6


def test_labels_of_a_run_are_told_from_exported_ones(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as stream:
        stream.write('{"format": "distil-harness labels of a run", "version": 1, "labels": 0, "kept": 0}\n')

    with pytest.raises(UserError, match=r"but the labels of a run[\s\S]*kind: recorded"):
        import_labels(file, Workspace(tmp_path / "away"), silent)
