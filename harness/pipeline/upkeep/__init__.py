"""Keeping a workspace: what it holds and what of that may go, and joining the workspaces of several machines."""
