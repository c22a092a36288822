"""What comes back for a request and is no plain answer: why, by the provider's words, and when too much of it is so."""
