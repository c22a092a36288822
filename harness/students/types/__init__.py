"""Types of students: one file a type, found through the entry point group ``harness.students``."""
