"""What each number of a report means, for readers who have not seen one before."""

from __future__ import annotations

from typing import NamedTuple


class GlossaryTerm(NamedTuple):
    """A word of the report and what it says."""

    name: str
    meaning: str


GLOSSARY = (
    GlossaryTerm(
        "Row",
        "One configuration: method, teacher, losses, labels. Its resamples (which queries were labelled) and seeds "
        "are averaged on each "
        "query before anything is tested.",
    ),
    GlossaryTerm("Labels", "How many training queries a teacher labelled. Nothing where the method needs none."),
    GlossaryTerm(
        "Metric",
        "Mean over all judged queries, as trec_eval and ir_measures compute it. A query for which a run has nothing "
        "counts 0. The best "
        "value of those that compete is bold.",
    ),
    GlossaryTerm(
        "95 % interval",
        "Bootstrap over queries, and over resamples and seeds where there are several: another draw of these would "
        "give a mean in there "
        "95 times of 100. Overlapping intervals do not mean that two rows are equal; the paired tests answer that.",
    ),
    GlossaryTerm(
        "▲ ▼ beside a metric",
        "Better or worse than the baseline: adjusted p below 0.05, the family being all rows against the baseline "
        "(Holm).",
    ),
    GlossaryTerm(
        "Superscript letters",
        "The row is significantly better than the rows of these letters. The family is all pairs, so these claims are "
        "stricter than ▲.",
    ),
    GlossaryTerm(
        "Δ",
        "Mean difference from the baseline, or of the second from the first of a pair, with its own 95 % interval "
        "(not adjusted).",
    ),
    GlossaryTerm(
        "p",
        "How often chance alone would give a difference as large as this one, if the two rows were the same. Never 0.",
    ),
    GlossaryTerm(
        "p adj.",
        "p adjusted for the number of comparisons in the family: with all claims below 0.05 taken together, the "
        "chance of any false one "
        "is below 5 %.",
    ),
    GlossaryTerm("not shown", "The data do not tell the two apart. That is no evidence that they are equal."),
    GlossaryTerm(
        "d_z",
        "Effect size: mean difference over the standard deviation of the differences. 0.2 is small, 0.5 medium, 0.8 "
        "large.",
    ),
    GlossaryTerm(
        "P(b > a)", "Probability of superiority: the share of queries on which b is better, half the ties counted."
    ),
    GlossaryTerm("+/=/−", "Queries on which b is better, equal, worse."),
    GlossaryTerm(
        "detectable",
        "The least true difference that this many queries show with the stated power, given how the differences "
        "spread.",
    ),
    GlossaryTerm(
        "Area",
        "Of a budget curve: its mean height over the logarithm of the number of labels, so one number for all budgets "
        "at once. Δ area "
        "is over the amounts that both curves have.",
    ),
    GlossaryTerm(
        "USD",
        "What the labels cost at list price, whoever paid for them; cached calls are counted as if they had been made.",
    ),
    GlossaryTerm("train", "Seconds of all training stages behind one run of the row, on the machine that ran them."),
    GlossaryTerm(
        "Flags",
        "What to know before believing a row: one seed, missing queries, labels that were not ok, a placebo or an "
        "oracle as teacher, "
        "fewer tuning trials than others.",
    ),
    GlossaryTerm(
        "–", "In place of a rank: the row does not compete, because its teacher sees the answers or is simulated."
    ),
    GlossaryTerm(
        "Stage key",
        "sha256 of everything that determines an artefact: code version, settings, contents of data and models. The "
        "same key means the "
        "same computation.",
    ),
    GlossaryTerm(
        "Collection hash",
        "sha256 of documents, queries and judgments. Runs on different contents are never in one table.",
    ),
)
