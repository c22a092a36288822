"""Losses by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.errors import UserError
from harness.losses.spec import LossSpec
from harness.stage import digest


def test_spec_fills_defaults_so_that_equal_losses_have_one_key() -> None:
    written = LossSpec.of({"name": "kl", "teacher_temperature": 1.0, "reduction": "batchmean"})
    assert digest(LossSpec.of("kl")) == digest(written)
    assert digest(written) != digest(LossSpec.of({"name": "kl", "teacher_temperature": 0.5}))
    assert digest(written) != digest(LossSpec.of("reverse-kl"))


def test_unknown_loss_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match="did you mean 'listmle'"):
        LossSpec.of("list-mle")


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ({"name": "kl", "temprature": 1}, "temprature"),
        ({"name": "kl", "temperature": 0}, "temperature"),
        ({"name": "kl", "reduction": "sum"}, "reduction"),
        ({"name": "sum"}, "of"),
        ({"name": "sum", "of": []}, "of"),
        ({"name": "sum", "of": "kl"}, "of"),
        ({"name": "sum", "of": ["kl", "kll"]}, "of.1"),
        ({"name": "sum", "of": ["kl", {"weight": 1}]}, "of.1.name"),
        ({"name": "sum", "of": [{"name": "kl", "weight": -1}]}, "of.0.weight"),
        ({"name": "sum", "of": ["kl", {"name": "kl", "temperature": 0}]}, "of.1.temperature"),
        ({"name": "sum", "of": [{"name": "sum", "of": [{"name": "kl", "mu": 1}]}]}, "of.0.of.0.mu"),
    ],
)
def test_wrong_settings_name_the_key(spec: dict[str, object], key: str) -> None:
    with pytest.raises(UserError) as caught:
        LossSpec.of(spec)
    assert caught.value.key == key


def test_looking_losses_up_imports_no_torch() -> None:
    code = "import sys; from harness.losses.spec import LossSpec; LossSpec.of('kl'); print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )
