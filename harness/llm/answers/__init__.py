"""What comes back for a request where it is no plain answer: why there is none, by the provider's words, and when so many
are missing that asking on makes no sense."""
