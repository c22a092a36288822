"""Methods that learn from human judgments at the same budget, without any LLM."""
