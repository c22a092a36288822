"""Losses over candidate lists: one file a family, small classes that cite their paper."""
