"""What a sweep, or several, are to show: hypotheses as files say them."""
