"""Students: rankers and retrievers, and the training loop they share."""
