"""Methods that must not win: one without any LLM label, one whose labels say nothing."""
