"""Paired tests over queries and runs: differences, intervals, corrections, power."""
