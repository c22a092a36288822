"""Benchmark harness for distilling large language models into retrievers."""

__version__ = "0.1.0"
