"""What a board says at first sight: verdicts in sentences, and methods over all collections."""
