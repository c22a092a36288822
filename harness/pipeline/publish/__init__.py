"""A finished cell becomes a published run."""
