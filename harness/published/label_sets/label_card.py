"""The data card of a published set of labels: what it is, who labelled how, how good and at what cost."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, StringConstraints

from harness.labelling.labels.imported_labels import UNKNOWN
from harness.published.card import TeacherSection
from harness.published.card_collection import TestCollection
from harness.published.card_costs import Verdicts
from harness.published.card_numerics import NumericsSection
from harness.published.card_section import CardSection, Free, Hash, Line

WHAT = "orders in which a teacher put the first stage's candidates of training queries"
BY_IDS = "none: queries and documents stand here by their ids alone"


class TextsSection(CardSection):
    """The texts that were labelled; they are the collection's."""

    licence: Line = UNKNOWN
    citation: Line = ""
    published: Line = BY_IDS


class SourceLabels(CardSection):
    """The labels of queries of one source (train, titles, sentences). A query that was made from a document has that
    document as its only judgment."""

    lists: NonNegativeInt
    judged: NonNegativeInt = 0
    """Queries with an order and a relevant candidate: over these are the two means of nDCG@10."""
    teacher_ndcg: float | None = None
    candidates_ndcg: float | None = None
    """Of the candidates as the first stage ordered them."""
    compared: NonNegativeInt = 0
    """Orders of two documents at least: over these they agree with the candidates' order by tau and RBO."""
    tau: float | None = None
    rbo: float | None = None


class LabelCosts(CardSection):
    """What one list costs with an empty ledger, in the mean over all that were labelled, and what was paid for all."""

    calls: NonNegativeFloat = 0
    input_tokens: NonNegativeFloat = 0
    output_tokens: NonNegativeFloat = 0
    usd: NonNegativeFloat = 0
    seconds: NonNegativeFloat | None = None
    """None where that is not known."""
    usd_incurred: NonNegativeFloat = 0


class LabelDraw(CardSection):
    """A draw of training queries that was labelled. Costs are those of the whole draw with an empty ledger."""

    key: Hash
    """Of the label stage."""
    sweep: Line
    resample: NonNegativeInt
    queries: NonNegativeInt
    labelled: Line
    """When, in UTC."""
    calls: NonNegativeInt = 0
    input_tokens: NonNegativeInt = 0
    output_tokens: NonNegativeInt = 0
    usd: NonNegativeFloat = 0
    usd_incurred: NonNegativeFloat = 0
    seconds: NonNegativeFloat | None = None


class LabelFile(CardSection):
    """The file that the card is of."""

    name: Line
    sha256: Hash
    bytes: NonNegativeInt


class LabelCard(CardSection):
    """Everything that must be known of a set of labels besides the labels."""

    absent = frozenset({"numerics"})

    card_version: Literal[1] = 1
    what: Line = WHAT
    replay: Annotated[str, StringConstraints(max_length=1_000)]
    """A line of a sweep file that trains on them."""
    licence: Line = UNKNOWN
    """Of the labels."""
    texts: TextsSection
    collection: TestCollection
    """Its split is the one whose queries the content hash covers."""
    teacher: TeacherSection
    identity: Line
    """Of the teacher."""
    details: Free = Field(default={})
    """The hash of its model, and its prompt."""
    numerics: NumericsSection | None = None
    """Absent on disk where nothing was computed on the machine that labelled."""
    candidates: Free
    depth: NonNegativeInt
    lists: NonNegativeInt
    documents: NonNegativeInt
    """Different ones in all lists."""
    verdicts: Verdicts
    sources: dict[Line, SourceLabels]
    costs: LabelCosts
    date: Line
    """When the last of them was labelled."""
    draws: tuple[LabelDraw, ...]
    file: LabelFile


def costs_of(draws: tuple[LabelDraw, ...]) -> LabelCosts:
    """The mean of a list over all draws, and what was paid for all."""
    queries = sum(one.queries for one in draws)
    paid = sum(one.usd_incurred for one in draws)
    if not queries:
        return LabelCosts(usd_incurred=paid)
    means = {
        name: round(sum(getattr(one, name) for one in draws) / queries, 9)
        for name in ("calls", "input_tokens", "output_tokens", "usd")
    }
    known = [one.seconds for one in draws if one.seconds is not None]
    seconds = round(sum(known) / queries, 6) if len(known) == len(draws) else None
    return LabelCosts(**means, seconds=seconds, usd_incurred=paid)
