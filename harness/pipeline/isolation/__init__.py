"""Stages in which a plug-in works run in a process of their own, so that none of them ends a sweep."""
