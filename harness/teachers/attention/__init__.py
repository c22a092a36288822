"""Teachers that read an answer's attention."""
