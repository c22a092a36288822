"""Sweep files: their models, how they are loaded, overridden and checked."""
