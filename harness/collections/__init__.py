"""Collections: documents, queries by split, relevance judgments; each with a content hash."""
