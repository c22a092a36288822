"""Adapter folders of peft: merged into the model that they are an addition to, so that all weights learn and are
saved."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness._lazy import lazy
from harness.errors import UserError
from harness.pretrained.model_folder import ADAPTER, CLASSIFIER, adapter_base, read_json

if TYPE_CHECKING:
    import torch

WEIGHTS = "adapter_model.safetensors"
_HEAD = re.compile(r"(^|\.)(classifier|score|classifier\.out_proj|classification_head\.out_proj)\.weight$")
"""The last layer of a classifier, whole."""
peft_other = lazy("peft.utils.other")
safetensors = lazy("safetensors")
transformers = lazy("transformers")
tuners = lazy("peft.tuners.tuners_utils")


def require_peft(folder: Path) -> None:
    """Raises UserError where `folder` holds an adapter and peft is not installed."""
    if adapter_base(folder) is not None and find_spec("peft") is None:
        raise UserError(f"'{folder}' is an adapter, which needs peft", remedy="run: pip install 'distil-harness[lora]'")


def supplied_by_adapter(model: Any, name: str) -> bool:
    """Whether an adapter brings this weight whole (peft's modules_to_save)."""
    configs = getattr(model, "peft_config", {}).values()
    saved = {part for config in configs for part in getattr(config, "modules_to_save", None) or ()}
    return bool(saved.intersection(name.split(".")))


def adapted_outputs(folder: Path) -> int:
    """How many outputs the classifier has that an adapter folder is an addition to: those of the head that it brings,
    else those of its base; one for any other folder."""
    base = adapter_base(folder)
    if base is None:
        return 1
    with safetensors.safe_open(folder / WEIGHTS, framework="np") as file:
        heads = [file.get_slice(name).get_shape() for name in file.keys() if _HEAD.search(name)]  # noqa: SIM118
    if heads:
        return int(heads[0][0])
    config = transformers.AutoConfig.from_pretrained(base, local_files_only=True)
    named = any(head.endswith(CLASSIFIER) for head in getattr(config, "architectures", None) or ())
    return int(config.num_labels) if named else 1


def brought_whole(folder: Path) -> Callable[[Any, str], bool]:
    """Whether the adapter in `folder` brings a weight (model, name) whole, told before it is loaded."""
    saved = set(read_json(folder / ADAPTER).get("modules_to_save") or ())
    return lambda model, name: bool(saved.intersection(name.split(".")))


def add_adapter(model: Any, folder: Path) -> None:
    """Adds the adapter in `folder` to the transformer of `model`, its base, for `merge_adapters`."""
    model[0].model.load_adapter(str(folder))


def merge_adapters(model: torch.nn.Module, options: dict[str, Any]) -> None:
    """Adds every adapter inside `model` to the weights that it changes, and takes it out. All weights may learn
    afterwards. `options` are those that transformers loaded it with."""
    for part in list(model.modules()):
        if not getattr(part, "_hf_peft_config_loaded", False):
            continue
        adapted: Any = part
        base = _load_base(adapted, options)
        _merge_layers(adapted)
        adapted._hf_peft_config_loaded = False
        # How weights are named in a file: an adapter's names are others.
        adapted._weight_conversions = getattr(base, "_weight_conversions", None)
        del adapted.peft_config
        adapted.requires_grad_(True)


def _load_base(adapted: Any, options: dict[str, Any]) -> Any:
    """The base of an adapter by itself: of an adapted model transformers reports what the adapter's file lacks, not
    what the base's does."""
    (config,) = adapted.peft_config.values()
    base = type(adapted).from_pretrained(
        config.base_model_name_or_path, config=adapted.config, local_files_only=True, **options
    )
    base.peft_config = adapted.peft_config
    return base


def _merge_layers(model: torch.nn.Module) -> None:
    merged: list[str] = []
    for name, part in list(model.named_modules()):
        if any(name.startswith(f"{above}.") for above in merged):
            continue
        if (whole := _whole(part)) is not None:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, whole)
            merged.append(name)


def _whole(part: Any) -> torch.nn.Module | None:
    """The layer that an adapted one becomes; None for any other."""
    if isinstance(part, peft_other.AuxiliaryTrainingWrapper) or hasattr(part, "unload_and_optionally_merge_module"):
        found = part.unload_and_optionally_merge_module(merge=True, safe_merge=True, adapter_names=None)
        return cast("torch.nn.Module", found)
    if not isinstance(part, tuners.BaseTunerLayer):
        return None
    part.merge(safe_merge=True)
    return cast("torch.nn.Module", part.get_base_layer())
