"""What trained methods must beat: lexical and dense search as they come, their fusion, and re-rankers."""
