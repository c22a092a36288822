"""Query likelihood through vLLM, for models that are too large or too slow for the torch teacher (likelihood.py)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from pydantic import Field

from harness.device import Resources
from harness.labelling.labels.failure_guard import TRANSPORT, OnFailure
from harness.llm.endpoints.lent_server import LentServer
from harness.llm.local_weights import causal_folder
from harness.llm.vllm_command import VLLMLoad
from harness.stage import digest
from harness.teachers.likelihood._served_scorer import ServedScorer
from harness.teachers.likelihood.query_likelihood import PairScorer, PairSettings, PairTeacher

_VERSION = 1
"""Rises when the same request would get another score."""


class VLLMLikelihoodSettings(PairSettings, VLLMLoad):
    """Which model, how it is asked, how vLLM runs it."""

    on_failure: OnFailure = Field(
        OnFailure(), description="how many queries may stay without an answer", json_schema_extra=TRANSPORT
    )


class VLLMLikelihood(PairTeacher):
    """A server is started for what the ledger lacks; every pair is a request for the logprobs of its prompt.

    Scores differ from the torch teacher's by rounding (and by its batches in 16-bit precision), so the ledger keeps
    them apart.
    """

    name = "vllm-likelihood"
    summary = "local language model through vLLM: how probable the query is after the passage"
    gives = ("order", "likelihoods")
    settings: VLLMLikelihoodSettings

    def __init__(self, settings: VLLMLikelihoodSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._base = base

    @property
    def resources(self) -> Resources:
        mark = self.settings.mark(self._model.identity, self.settings.model, self._base, guided=False)
        return self.settings.shared(super().resources, mark)

    @property
    def _reader(self) -> str:
        return digest(["vllm", _VERSION, self._model.identity, self.settings.key()])

    def _scorer(self) -> AbstractContextManager[PairScorer]:

        settings = self.settings
        folder = causal_folder(self._model)
        launch = settings.launch(self._model.identity, folder, settings.model, self._base, guided=False)
        return ServedScorer(LentServer(launch), settings.limits, settings.timeout)
