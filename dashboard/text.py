"""Text from result folders on a page that reads Markdown."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from harness.leaderboard.board_model import Table
from harness.leaderboard.overview.headline import Sentence


def literal(text: str) -> str:
    """`text` as Streamlit's Markdown shows it letter for letter: no HTML, links, formulas, colours or emoji come of
    it."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def linked(sentence: Sentence, table: Table) -> str:
    """A sentence about `table`, letter for letter, in which what is about a row links to its first run."""
    return "".join(
        f"[{literal(phrase.text)}]({run_address(table, phrase.run_ids[0])})" if phrase.run_ids else literal(phrase.text)
        for phrase in sentence
    )


def run_address(table: Table, run: str) -> str:
    """The page of a run, from any other page."""
    return f"run?{urlencode({'collection': table.name, 'run': run})}"
