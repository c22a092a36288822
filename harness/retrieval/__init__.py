"""First stage and search: lexical engines, dense encoding, exact search, runs."""
