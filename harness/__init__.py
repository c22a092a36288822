"""Benchmark harness for distilling large language models into retrievers."""

__version__ = "0.2.0"
