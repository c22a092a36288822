"""Words that pages and exported pages share."""

from __future__ import annotations

FILTERS = {
    "group": (
        "Group",
        "ours: the method this harness is about; baseline: others' methods; reference and control: what to hold them "
        "to.",
    ),
    "teacher": ("Teacher", "Who labelled the training queries."),
    "budget": ("Labels", "How many labelled training queries the method was given."),
    "loss": ("Loss", "The ranker's or the retriever's loss."),
    "sees": (
        "May see nothing but",
        "What a method was given: order is a teacher's ranking; likelihoods and attention need its insides.",
    ),
    "without": ("Hide rows with flags", "A flag says what to know before believing a row."),
}
"""What rows are filtered by (see `harness.leaderboard.filters`): a label, and what it means."""
