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

INTRODUCTION = (
    "A large language model, the teacher, is dear to ask; a small search model, the student, is cheap to run. For some "
    "queries, counted as labels, a teacher says which of a few documents answer best, and a student learns from it. A "
    "row is one way to do so: how well the student then finds documents for test queries. References learn from no "
    "label; controls and placebos train alike, but without any knowledge of a teacher's."
)
"""What a leaderboard is of, for readers who have not heard of it."""

QUESTIONS = {
    "leaderboard": "How many labels, which teacher, at what cost, and is it real?",
    "collections": "What is each method worth on each collection of documents, and what do they say together?",
    "curves": "How much of labels, money or tokens does each way of distilling need?",
    "compare": "Is a difference real, how large is it, and on which queries? 'Not shown' is no evidence that two rows "
    "are equal.",
    "cost": "Which rows that use labels does nothing cheaper equal, and where did the time go?",
    "teachers": "How good are their orders, what do they cost, and what did they teach?",
    "claims": "What was claimed before any run was made, and what do the runs say of it?",
    "methods": "Ways to get a retriever from a number of labelled queries, or from none: what each does and is given.",
    "run": "What is behind a number: a run's scores, its card, and the command that makes it again.",
    "query": "Which documents do rows find for one query, and what did a teacher say of it?",
    "sweep": "How far are the experiments that run on this machine?",
}
"""What each page answers."""
