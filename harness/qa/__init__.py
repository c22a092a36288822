"""Does the retriever help? A reader answers questions from the passages that a run found."""
