"""The forms of training files that labels can be exported as, by name."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import UserError, did_you_mean
from harness.labelling.exchange.flagembedding_file import FlagEmbeddingFile
from harness.labelling.exchange.sentence_transformers_file import SentenceTransformersFile
from harness.labelling.exchange.tevatron_file import TevatronFile
from harness.labelling.exchange.training_file import TrainingFile

TRAINING_FORMS: Mapping[str, TrainingFile] = {
    form.name: form for form in (FlagEmbeddingFile(), TevatronFile(), SentenceTransformersFile())
}


def training_form(name: str) -> TrainingFile:
    """The form of that name. Raises UserError."""
    if name not in TRAINING_FORMS:
        raise UserError(
            f"unknown form of training files '{name}'", what="--as", remedy=did_you_mean(name, TRAINING_FORMS)
        )
    return TRAINING_FORMS[name]
