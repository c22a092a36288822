"""Metrics by name, values per query, and the stage that evaluates a run."""
