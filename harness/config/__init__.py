"""Sweep files: their model, how they are loaded, overridden and checked, and the cells that they make."""
