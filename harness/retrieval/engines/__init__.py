"""Lexical engines: one file an engine, found through the entry point group ``harness.engines``."""

from harness.retrieval.engines.base import LexicalEngine

__all__ = ["LexicalEngine"]
