"""Every LLM call ever paid for: the ledger, its file, and views of it."""
