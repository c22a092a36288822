"""Methods that look inside a language model: likelihoods of the query or the answer, and attention."""
