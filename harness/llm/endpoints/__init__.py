"""Servers of our own that the stages of a sweep ask together: who starts, lends, renews and stops them."""
