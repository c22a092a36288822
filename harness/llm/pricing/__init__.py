"""What requests cost: tokens as servers count them, prices by model, the most that a request may cost."""
