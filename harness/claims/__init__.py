"""Hypotheses written down before the runs, and what the runs say of them: holds, fails or undecided."""
