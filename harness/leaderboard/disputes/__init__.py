"""Folders that say different things of one collection or one cell, and which of them counts."""
