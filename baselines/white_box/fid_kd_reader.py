"""FiD-KD with the reader's training: "Distilling Knowledge from Reader to Retriever" (Izacard & Grave, ICLR 2021, arXiv
2012.04584) for whoever owns no trained Fusion-in-Decoder reader.

A T5 learns to answer the labelled questions from their candidates (arXiv 2007.01282); then p_k = softmax over k of the
mean, over heads, layers and tokens of passage k, of what its cross-attention's softmax is taken of when the decoder
writes the first token, and loss KL(p_k || softmax(s)).

Departures. One round: the paper finds candidates anew with the retriever and trains the reader again. Its reader starts
from a pretrained T5 (`reader: {start: FOLDER}`); one that starts from random weights, with the tokenizer of the sweep's
ranker, reads badly: a lower bound, and no verdict on the method. The student's temperature is what its scores call for.
"""

from __future__ import annotations

from pydantic import Field

from baselines._shared.fid_reader import ReaderSettings
from baselines._shared.fid_stages import ReaderLists, TrainReader
from harness.losses.spec import LossChoice
from harness.method import MethodInputs, RetrieverMethod
from harness.models import resolve_model
from harness.stage import Stage
from harness.teachers.likelihood.answer_label_stage import Answers
from harness.training.student_settings import StudentSettings


class FiDKDReaderSettings(StudentSettings):
    """How the reader and the retriever are trained."""

    reader: ReaderSettings = Field(ReaderSettings(), description="the Fusion-in-Decoder reader")
    retriever_loss: LossChoice = Field("kl", description="a loss over the cross-attention scores")


class FiDKDReader(RetrieverMethod):
    """A Fusion-in-Decoder reader is trained on answers, and its cross-attention trains the retriever; no LLM."""

    name = "fid-kd-reader"
    summary = "FiD-KD that trains its reader: a T5 learns the answers, its cross-attention trains the retriever (KL)"
    source = "arXiv 2012.04584; arXiv 2007.01282"
    needs = ("answers",)
    category = "baseline"
    settings: FiDKDReaderSettings

    def retriever(self, inputs: MethodInputs) -> Stage:
        how, collection = self.settings.reader, inputs.collection
        start = resolve_model(how.start, inputs.base) if how.start else None
        # Where the reader starts is in the key as its content.
        reader = TrainReader(
            subset=inputs.subset(),
            candidates=inputs.candidates,
            corpus=collection.corpus,
            depth=inputs.list_depth,
            how=how.model_copy(update={"start": None}),
            start=start,
            tokenizer=start or inputs.ranker,
            answers=Answers.of(collection),
            seed=inputs.seed or 0,
        )
        lists = ReaderLists(
            subset=reader.subset,
            candidates=reader.candidates,
            corpus=reader.corpus,
            depth=reader.depth,
            how=reader.how,
            reader=reader,
        )
        return inputs.train_retriever(lists, self.settings.retriever_loss, self.settings)
