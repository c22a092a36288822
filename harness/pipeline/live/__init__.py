"""What a sweep does while it runs: its journal, the view of it, and those who follow."""
