"""Labels: what a teacher is, its tasks and rankings, the parser with verdicts, files of labels, the stage that asks."""
