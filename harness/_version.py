"""The version of this package, for cards, checkpoints and pages."""

__version__ = "0.2.0"
