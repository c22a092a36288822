"""Teachers: who orders a candidate list. One file a teacher."""
