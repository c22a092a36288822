"""A newcomer's mistakes: `harness plan` says all of them at once, each with file, line, key and what would be right."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from harness.cli.main import main

SWEEP = """\
collections: [{folder: mywiki}]
students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}
candidates: {engine: bm25s, depth: 5}
teachers:
  sim: {kind: simulated, noise: 0.5}
methods:
  - bm25
  - zero-shot
  - direct
budgets: [20]
"""


NEW = "harness new sweep --collection NAME writes one"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a collection ``mywiki`` of 40 training queries (4 of which become dev) and a test split."""
    folder = tmp_path_factory.mktemp("newcomer")
    wiki = folder / "mywiki"
    (wiki / "qrels").mkdir(parents=True)
    documents = [
        {"_id": f"d{number}", "title": f"page {number}", "text": f"about thing {number}"} for number in range(60)
    ]
    queries = [{"_id": f"q{number}", "text": f"what is thing {number}"} for number in range(60)]
    (wiki / "corpus.jsonl").write_text("".join(json.dumps(document) + "\n" for document in documents))
    (wiki / "queries.jsonl").write_text("".join(json.dumps(query) + "\n" for query in queries))
    for split, numbers in (("train", range(40)), ("test", range(40, 60))):
        rows = "".join(f"q{number}\td{number}\t1\n" for number in numbers)
        (wiki / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + rows)
    return folder


class Planned:
    """What ``harness plan``, or another command, did with a text."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._home, self._capsys, self._monkeypatch = home, capsys, monkeypatch

    def __call__(
        self, text: str, *further: str, name: str = "sweep.yaml", command: str = "plan"
    ) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        if text:
            (self._home / name).write_text(text)
        self._monkeypatch.chdir(self._home)
        self._monkeypatch.setattr(sys, "argv", ["harness", command, name, *further])
        try:
            main()
        except SystemExit as end:
            code = end.code
        captured = self._capsys.readouterr()
        return int(code or 0), captured.out, captured.err


@pytest.fixture
def plan(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Planned:
    return Planned(home, capsys, monkeypatch)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "words"),
    [
        ("budgets: [20]", "budget: [20]", 10, "budget: unknown key 'budget'\n  did you mean 'budgets'?"),
        ("teachers:", "teacher:", 4, "teacher: unknown key 'teacher'\n  did you mean 'teachers'?"),
        ("depth: 5", "depth: five", 3, "candidates.depth: must be a whole number, not 'five'\n  write it in digits"),
        ("[20]", "[20, many]", 10, "budgets.1: must be a whole number, not 'many'\n  write it in digits"),
        ("budgets: [20]", "budgets: 20\ntimeout: 5m", 11, "timeout: must be a number, not '5m'\n  write it in digits"),
        (
            "- direct",
            "- direct: {epochs: 3, learning_rate: 0.1}",
            9,
            "methods.2: does not say `method`, and 'direct' is one\n  write {method: direct, epochs: ..., learning_",
        ),
        (
            "  - bm25\n  - zero-shot\n  - direct",
            "  bm25: {}\n  zero-shot: {}",
            6,
            "methods: must be a list of at least one method\n  write [bm25, zero-shot], settings as {method: NAME, ",
        ),
        ("methods:\n  - bm25\n  - zero-shot\n  - direct", "methods: []", 6, "one method\n  for example [bm25,"),
        ("{folder: mywiki}", "{foldr: mywiki}", 1, "named by a mapping\n  did you mean 'folder'? A collection is a"),
        ("folder: mywiki", "folder:", 1, "is not YAML: there is a ':' without a value inside of { } or [ ]\n  write {"),
        (
            "folder: mywiki",
            "folder: mywikki",
            1,
            "collections.0: there is no folder 'HOME/mywikki'\n  did you mean 'mywiki'?",
        ),
        (
            "- direct",
            "- {method: direct, retriever_loss: listmlee}",
            9,
            "unknown loss 'listmlee'\n  did you mean 'listmle'?",
        ),
        (
            "[20]",
            "[20, 5000]",
            10,
            "budgets.1: a budget of 5,000 is larger than the 36 training queries of 'mywiki' (36 from train)",
        ),
        ("- direct", "- {method: direct, budgets: 500}", 9, "methods.2.budgets: a budget of 500 is larger than the 36"),
        ("  - bm25", "\t- bm25", 7, "is not YAML: there is a tab in this line\n  YAML indents with spaces"),
        ("  - zero-shot", " - zero-shot", 8, "is not YAML: this line fits none of the lines above it\n"),
        (
            "depth: 5}",
            "depth: 5",
            4,
            "is not YAML: the '{' that opens in line 3 is not closed, or a comma is missing\n",
        ),
        ("noise: 0.5", "noise: a: b", 5, "is not YAML: "),
        (
            "budgets: [20]",
            "evaluate: {split: validation}\nbudgets: 20",
            10,
            "evaluate.split: collection 'mywiki' has no split",
        ),
        (
            "static: bundled:bert-tiny",
            "static: bert-tin",
            2,
            "there is no model at 'bert-tin'\n  did you mean 'bundled:bert-tiny'?",
        ),
        ("[20]", "20,40", 10, "budgets: must be a list, not '20,40'\n  write [20, 40]"),
        ("budgets: [20]", "budgets: 20\nseeds: 0, 1", 11, "seeds: must be a list, not '0, 1'\n  write [0, 1]"),
        ("bm25s", "elastic", 3, "unknown engine 'elastic'\n  known: bm25s, lucene. For dense search write dense:MODEL"),
        ("bm25s", "bm25", 3, "unknown engine 'bm25'\n  did you mean 'bm25s'? For dense search write dense:MODEL"),
        ("simulated, noise: 0.5", "recorded, file: no.jsonl", 5, "teachers.sim.file: there is no such file"),
    ],
)
def test_a_mistake_is_told_where_it_stands(
    plan: Planned, home: Path, right: str, wrong: str, line: int, words: str
) -> None:
    code, _, err = plan(SWEEP.replace(right, wrong))
    assert code == 2
    assert err.startswith(f"error: sweep.yaml:{line}: ")
    assert words.replace("HOME", str(home)) in err
    assert err.count("error: ") == 1
    assert "Traceback" not in err


def test_faults_of_the_file_come_all_at_once(plan: Planned) -> None:
    text = SWEEP.replace("depth: 5", "depth: 5, k1: -1, b: 7").replace("noise: 0.5", "noise: -1, seeed: 3")
    text = text.replace("- direct", "- {method: direct, retriever_loss: {name: margin-mse, temperature: -1, foo: 2}}")
    bot = "  bot: {kind: litellm, model: openai/x, ask: {strategy: sliding, window: 0, step: 0, prompt: 3}}\n"
    text = text.replace("methods:", f"{bot}methods:")
    _, _, err = plan(text)
    assert [line.partition("error: sweep.yaml:")[2] for line in err.splitlines() if line.startswith("error: ")] == [
        "3: candidates.k1: must be at least 0, not -1",
        "3: candidates.b: must be at most 1, not 7",
        "5: teachers.sim.noise: must be at least 0, not -1",
        "5: teachers.sim.seeed: unknown key 'seeed'",
        "6: teachers.bot.ask.prompt: must be text, not 3",
        "6: teachers.bot.ask.window: must be at least 2, not 0",
        "6: teachers.bot.ask.step: must be at least 1, not 0",
        "10: methods.2.retriever_loss.temperature: must be greater than 0, not -1",
        "10: methods.2.retriever_loss.foo: unknown key 'foo'",
    ]


def test_faults_of_data_and_models_come_all_at_once(plan: Planned) -> None:
    text = SWEEP.replace("[{folder: mywiki}]", "[{folder: mywiki}, {folder: mywikki}]").replace(
        "static: bundled:bert-tiny", "static: tiny"
    )
    text = text.replace("engine: bm25s", "engine: [bm25s, 'dense:no/such/model']").replace("[20]", "[20, 5000, 6000]")
    text = (
        text.replace("simulated, noise: 0.5", "litellm, model: openai/x, ask: {prompt: nosuch}")
        + "evaluate: {split: validation}\n"
    )
    code, _, err = plan(text)
    assert code == 2
    assert [line.split(": ")[1:3] for line in err.splitlines() if line.startswith("error: ")] == [
        ["sweep.yaml:1", "collections.1"],
        ["sweep.yaml:2", "students.retriever.static"],
        ["sweep.yaml:3", "candidates.engine.1"],
        ["sweep.yaml:5", "teachers.sim"],
        ["sweep.yaml:10", "budgets.1"],
        ["sweep.yaml:10", "budgets.2"],
        ["sweep.yaml:11", "evaluate.split"],
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "line", "words"),
    [
        (
            "- direct",
            "- direct\n  - direct",
            10,
            "methods.3: the method 'direct' is listed twice, first in line 9; it counts once",
        ),
        ("- direct", "- direct\n  - {method: direct}", 10, "methods.3: the method"),
        ("[20]", "[20, 20]", 10, "budgets.1: the budget 20 is listed twice, first at position 0; it counts once"),
        ("budgets: [20]", "budgets: 20\nseeds: [0, 0]", 11, "seeds.1: the seed 0 is listed twice"),
        (
            "[{folder: mywiki}]",
            "[{folder: mywiki}, {folder: mywiki}]",
            1,
            'collections.1: the collection {"folder": "mywiki"} is listed',
        ),
    ],
)
def test_what_is_listed_twice_is_noticed_and_counts_once(
    plan: Planned, right: str, wrong: str, line: int, words: str
) -> None:
    code, out, err = plan(SWEEP.replace(right, wrong), "--json")
    assert (code, err) == (0, "")
    [notice] = json.loads(out)["notices"]
    assert notice.startswith(f"sweep.yaml:{line}: {words}")
    assert json.loads(out)["cells"] == 3


def test_a_sweep_says_what_is_listed_twice_before_it_runs(plan: Planned) -> None:
    code, _, err = plan(SWEEP[: SWEEP.index("  - zero-shot")] + "  - bm25\n", command="sweep")
    assert code == 0
    assert err.startswith(
        "notice: sweep.yaml:8: methods.1: the method 'bm25' is listed twice, first in line 7; it counts once\n"
    )


def test_a_key_that_is_not_set_is_noticed_before_anything_runs(plan: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SWEEP.replace("simulated, noise: 0.5", "litellm, model: anthropic/claude-3-5-haiku-20241022")
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    code, out, _ = plan(text, "--json")
    assert code == 0
    [notice] = json.loads(out)["notices"]
    assert notice.startswith(
        "sweep.yaml:5: teachers.sim: the model 'anthropic/claude-3-5-haiku-20241022' needs ANTHROPIC_API_KEY"
    )
    monkeypatch.setenv("ANTHROPIC_API_KEY", "set")
    _, out, _ = plan(text)
    assert "notice" not in out


def test_a_missing_file_suggests_near_names_only(plan: Planned, home: Path) -> None:
    (home / "other.yaml").write_text(SWEEP)
    (home / "budget.yaml").write_text(SWEEP)
    code, _, err = plan("", name="budgets.yaml")
    assert (code, err) == (2, "error: budgets.yaml: there is no such sweep file\n  did you mean 'budget.yaml'?\n")
    code, _, err = plan("", name="zzz.yaml")
    assert (code, err) == (2, f"error: zzz.yaml: there is no such sweep file\n  {NEW}\n")
