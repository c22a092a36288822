"""What becomes of labels that failed: how many there are, and how they are asked again."""
