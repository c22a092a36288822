"""Published sets of labels, for others to train on: the data card, and the folder in which they lie."""
