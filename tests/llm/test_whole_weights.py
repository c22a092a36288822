"""Teachers out of a folder load whole or not at all, as students do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.errors import UserError
from harness.llm.local_weights import load_causal
from harness.plugin_checks.tiny_models import tiny_decoder, tiny_fusion
from harness.teachers.attention.fid import FiD, FiDSettings

pytestmark = pytest.mark.models

LOADERS: dict[str, tuple[Callable[[Path, int], Path], Callable[[Path], object], str]] = {
    "decoder": (tiny_decoder, lambda folder: load_causal(folder, "fp32", "eager"), "layers.1."),
    "fusion-in-decoder": (
        tiny_fusion,
        lambda folder: FiD(FiDSettings(model=str(folder)))._load(),
        "encoder.block.1.",
    ),
}


@pytest.mark.parametrize(("make", "load", "part"), LOADERS.values(), ids=LOADERS)
def test_weights_that_the_files_lack_are_not_drawn(
    make: Callable[[Path, int], Path], load: Callable[[Path], object], part: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "teacher", 0)
    load(folder)
    file = folder / "model.safetensors"
    held: dict[str, torch.Tensor] = load_file(file)
    save_file({name: one for name, one in held.items() if part not in name}, file, {"format": "pt"})
    with pytest.raises(UserError, match=r"lack \d+ weights of \w+") as caught:
        load(folder)
    assert str(folder) in str(caught.value)
