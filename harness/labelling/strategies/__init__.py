"""Ways of asking a language model for an order. One file a way."""
