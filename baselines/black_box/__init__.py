"""Methods that learn from nothing but the order that a teacher puts documents in; ours among them."""
