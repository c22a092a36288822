"""A Fusion-in-Decoder reader in training (Izacard & Grave, EACL 2021, arXiv 2007.01282): a T5 encodes each passage with
the question alone, and its decoder writes the answer from all of them at once."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from harness._lazy import lazy
from harness.device import device
from harness.errors import UserError
from harness.plugins import Settings
from harness.students.optimisers import build_optimisers, rate_share, update_weights
from harness.teachers.attention.fid import encode_passages, load_reader, reader_text
from harness.training.trainer_state import TrainerState

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

    from harness.progress import Progress
    from harness.training.checkpoint import Checkpoint
    from harness.training.history import History
else:
    torch = lazy("torch")

transformers = lazy("transformers")
outputs = lazy("transformers.modeling_outputs")

_PADDING, _ENDS = ("<pad>", "[PAD]"), ("</s>", "[SEP]")
"""How tokenizers call the token that fills up, and the one that ends a text."""
_WARMUP, _CLIP, _DECAY = 0.1, 1.0, 0.01


class ReaderSettings(Settings):
    """Which reader, and how it is trained."""

    start: str | None = Field(
        None,
        description="a pretrained T5, as in the paper: a folder, or a Hugging Face id; left out: a small one of random "
        "weights, which reads badly",
    )
    layers: int = Field(2, ge=1, description="of encoder and of decoder, where it starts from random weights")
    width: int = Field(128, ge=32, multiple_of=32, description="of its states, likewise")
    epochs: int = Field(3, ge=1, description="passes over the labelled questions")
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="peak of AdamW; left out: 1e-4 for a pretrained T5 (released code), 1e-3 for random weights",
    )
    batch: int = Field(4, ge=1, description="questions a step")
    max_tokens: int = Field(200, ge=8, description="tokens of a question with one passage")
    max_answer_tokens: int = Field(32, ge=2, description="tokens of an answer")

    def peak(self, is_pretrained: bool) -> float:
        """The learning rate of a reader that was pretrained, or was not."""
        return self.learning_rate or (1e-4 if is_pretrained else 1e-3)


class Question(NamedTuple):
    """A question with its passages and its answer, as token ids."""

    passages: list[list[int]]
    answer: list[int]


@dataclass(frozen=True)
class ReaderTokens:
    """How questions, passages and answers become tokens."""

    tokenizer: Tokenizer
    limit: int
    answer_limit: int

    @property
    def padding(self) -> int:
        """The id that fills up, and that a decoder starts from. Raises UserError where there is none."""
        return self._id(_PADDING)

    @property
    def end(self) -> int:
        """The id that ends an answer. Raises UserError where there is none."""
        return self._id(_ENDS)

    def passages(self, question: str, passages: Sequence[str]) -> list[list[int]]:
        """Each passage with the question; where one is cut, up to the token that ends it, as the teacher `fid` reads
        it."""
        texts = [reader_text(question, passage) for passage in passages]
        self.tokenizer.enable_truncation(self.limit)
        encodings = self.tokenizer.encode_batch(texts)
        # Answers have a limit of their own.
        self.tokenizer.no_truncation()
        return [encoding.ids for encoding in encodings]

    def answer(self, text: str) -> list[int]:
        """An answer, up to the token that ends it."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return [*ids[: self.answer_limit - 1], self.end]

    def _id(self, names: Sequence[str]) -> int:
        found = [self.tokenizer.token_to_id(name) for name in names]
        known = next((one for one in found if one is not None), None)
        if known is None:
            remedy = "give a T5 (reader: {start: FOLDER}), or the sweep a ranker that has the tokenizer of a BERT"
            raise UserError(f"the reader's tokenizer has no token {' or '.join(names)}", remedy=remedy)
        return known


def new_reader(settings: ReaderSettings, tokens: ReaderTokens, start: Path | None) -> Any:
    """The reader before training: that of `start`, or a T5 of random weights."""
    if start is not None:
        return load_reader(start)
    config = transformers.T5Config(
        vocab_size=tokens.tokenizer.get_vocab_size(),
        d_model=settings.width,
        d_kv=32,
        d_ff=4 * settings.width,
        num_layers=settings.layers,
        num_heads=settings.width // 32,
        pad_token_id=tokens.padding,
        eos_token_id=tokens.end,
        decoder_start_token_id=tokens.padding,
    )
    return transformers.T5ForConditionalGeneration(config).to(device())


def reader_loss(model: Any, question: Question) -> torch.Tensor:
    """Mean cross-entropy of the answer's tokens, read from all passages at once (arXiv 2007.01282, section 3)."""
    hidden, mask = encode_passages(model, question.passages)
    states = outputs.BaseModelOutput(last_hidden_state=hidden)
    labels = torch.tensor([question.answer], device=hidden.device)
    loss: torch.Tensor = model(encoder_outputs=states, attention_mask=mask.flatten()[None], labels=labels).loss
    return loss


def train_reader(
    model: Any,
    questions: Sequence[Question],
    settings: ReaderSettings,
    peak: float,
    seed: int,
    checkpoint: Checkpoint,
    progress: Progress,
) -> History:
    """Trains in place, from `checkpoint` on where there is one; call it inside `deterministic`. Raises UserError when a
    loss is no finite number."""
    model.train()
    state = TrainerState(model, device(), build_optimisers(model, peak, _DECAY))
    state.restore(checkpoint.load())
    batches = list(_batches(len(questions), settings, seed))
    for number in range(len(state.history.step), len(batches)):
        epoch, batch = batches[number]
        share = rate_share(number, len(batches), _WARMUP)
        mean = 0.0
        for place in batch:
            loss = reader_loss(model, questions[place]) / len(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            mean += float(loss.detach())
        if not math.isfinite(mean):
            raise UserError(f"the reader's loss is {mean} at step {number + 1}", remedy="take a lower learning_rate")
        update_weights(state.optimisers, share, _CLIP)
        state.history.add_step(epoch, mean, peak * share)
        if checkpoint.is_due:
            checkpoint.save(state.checkpoint_data())
        progress(number + 1, len(batches), "steps")
    model.eval()
    return state.history


def _batches(count: int, settings: ReaderSettings, seed: int) -> Iterator[tuple[int, list[int]]]:
    """Epoch and questions of every step, shuffled anew each epoch."""
    order, shuffle = list(range(count)), random.Random(seed)
    for epoch in range(settings.epochs):
        shuffle.shuffle(order)
        for start in range(0, count, settings.batch):
            yield epoch, order[start : start + settings.batch]
