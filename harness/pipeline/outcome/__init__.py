"""What failed: in a stage, in a sweep, and kept in the workspace until it succeeds."""
