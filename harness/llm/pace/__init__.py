"""How many requests may be in flight, and how many a minute: of one process, and of all of a sweep."""
