"""Methods whose teacher writes queries for documents."""
