"""Labels in files. There are five forms, all JSON lines, plain or gzipped; the first line tells which one a file has.

- Rankings, the artefact ``rankings.jsonl.gz``: no header, a line is `Ranking.to_json`.
- A workspace's calls and sets of rankings, as ``harness labels export`` writes them (label_export.py).
- Labels that others published, as ``harness labels import --as`` writes them (imported_labels.py).
- The labels of a published run, ``labels.jsonl.gz`` beside its card (run_labels.py).
- A published set of labels, as ``harness labels publish`` writes it (label_dataset.py).

Equal contents give equal bytes. Readers trust nothing, for files come from strangers: every fault is a UserError with
its line.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from harness.errors import UserError
from harness.labelling.labels import imported_labels, label_dataset, label_export, run_labels
from harness.labelling.labels.imported_labels import LabelSource, imported_source
from harness.labelling.labels.label_dataset import LabelDataset, dataset_header, read_dataset
from harness.labelling.labels.label_export import LabelReader, LabelSet, set_head
from harness.labelling.labels.label_lines import LabelLines, json_line
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.run_labels import Header, LabelRow, LabelsOfRun
from harness.models import file_hash
from harness.text import counted, plain

_ONE_SET = (None, imported_labels.FORMAT, label_dataset.FORMAT)
"""Forms of files that hold one set of rankings, without a name."""
_NAMED = 20
"""Sets of labels that a refusal names."""


def read_rankings(path: Path, of_set: str = "") -> list[Ranking]:
    """Rankings in file order, from a file of any form; `of_set` chooses as in `stream_rankings`, which says what is
    refused."""
    return list(stream_rankings(path, of_set))


def stream_rankings(path: Path, of_set: str = "") -> Iterator[Ranking]:
    """The rankings of one set, line by line, from a file of any form. Only after the last one is it known that the file
    is whole.

    `of_set` names the set where the file holds several: the beginning of its key, in a run's labels its number. Raises
    UserError for a damaged line, and with a list of the sets where `of_set` names none or several.
    """
    form, chosen = _form(path), choose_set(path, of_set)
    if form == label_dataset.FORMAT:
        return iter(read_dataset(path).rankings())
    if form in _ONE_SET:
        return _plain_rankings(path, header=form is not None)
    if form == label_export.FORMAT:
        return (
            ranking
            for entry in LabelReader(path).entries()
            if isinstance(entry, LabelSet) and entry.manifest["key"] == chosen
            for ranking in entry.rankings
        )
    return (row.ranking() for row in read_run_labels(path).rows if str(row.set) == chosen)


def choose_set(path: Path, of_set: str = "") -> str:
    """The whole name of the set that `of_set` names, empty for a file of rankings, whose one set has no name. Raises
    UserError."""
    sets = label_sets(path)
    named = [of_set] if of_set in sets else [name for name in sets if name.startswith(of_set)]
    if len(named) == 1:
        return named[0]
    if not any(sets):
        problem = "the only set of labels here has no name" if sets else "there are no rankings here"
        raise UserError(problem, file=path, remedy="leave `set` out" if sets else "give a file with finished labels")
    problem = (
        f"no set of labels here begins with '{of_set}'"
        if of_set and not named
        else f"{len(named)} sets of labels are here"
    )
    listed = [f"{name[:12]} ({plain(about)})" for name, about in islice(sets.items(), _NAMED)]
    more = f" and {len(sets) - _NAMED} more" if len(sets) > _NAMED else ""
    raise UserError(plain(problem), file=path, remedy=f"give one of them as `set`: {', '.join(listed)}{more}")


def label_sets(path: Path) -> dict[str, str]:
    """What each set of labels in a file is, by its name, in file order. Rankings without a header are one set without a
    name."""
    form = _form(path)
    if form in _ONE_SET:
        return {"": "rankings"}
    if form == run_labels.FORMAT:
        rows = Counter(str(row.set) for row in read_run_labels(path).rows)
        return {name: counted(number, "query") for name, number in rows.items()}
    sets = {}
    with closing(LabelLines(path)) as lines:
        for line in lines.starting(b'{"labels"'):
            with lines.checked():
                manifest, summary = set_head(line["labels"])
                sets[manifest["key"]] = str(manifest.get("label") or counted(summary["queries"], "query"))
    return sets


def dataset_of(path: Path) -> LabelDataset | None:
    """The published set of labels that a file holds; None for a file of another form. Raises UserError."""
    return read_dataset(path) if _form(path) == label_dataset.FORMAT else None


def label_source(path: Path) -> LabelSource | None:
    """Who published the labels of a file; None where that is not written in it. Raises UserError."""
    form = _form(path)
    if form != label_dataset.FORMAT:
        return imported_source(path) if form == imported_labels.FORMAT else None
    header = dataset_header(path)
    about = header.about
    return LabelSource(
        name=plain(f"{path.name.split('.')[0]}: {about.kind} {about.model}".strip(), 300),
        date=header.date,
        licence=header.licence,
        form=label_dataset.FORMAT,
        file_hash=file_hash(path),
        collection=about.collection,
        content_hash=about.content_hash,
    )


def _form(path: Path) -> str | None:
    """What the header says; None for a file that begins with a ranking, or is empty."""
    with closing(LabelLines(path)) as lines:
        header = next(iter(lines), {})
        form = header.get("format")
        if form not in (*_ONE_SET, label_export.FORMAT, run_labels.FORMAT):
            raise lines.fault(
                "this is no file of labels", "give a file that harness labels export wrote, or a run's labels.jsonl.gz"
            )
    return form


def _plain_rankings(path: Path, header: bool) -> Iterator[Ranking]:
    with closing(LabelLines(path)) as lines:
        if header:
            lines.next()
        for line in lines:
            with lines.checked("no ranking"):
                ranking = Ranking.from_json(line)
            yield ranking


def read_run_labels(path: Path) -> LabelsOfRun:
    """The labels of a run, as many rows as may be published."""
    with closing(LabelLines(path)) as lines:
        header = lines.as_model(Header, lines.next(), "the header")
        rows = tuple(lines.as_model(LabelRow, line, "a label") for line in islice(lines, run_labels.MOST_ROWS))
    return LabelsOfRun(header=header, rows=rows)


def write_rankings(path: Path, rankings: Iterable[Ranking]) -> None:
    """Write gzipped JSON lines, one ranking each."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as stream:
        for ranking in rankings:
            stream.write(json_line(ranking.to_json()))
