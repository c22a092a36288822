"""Lexical engines: one file an engine, found through the entry point group ``harness.engines``."""

from harness.retrieval.engines.engine import LexicalEngine

__all__ = ["LexicalEngine"]
