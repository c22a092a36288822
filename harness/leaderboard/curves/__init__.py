"""Budget curves: series, fits, targets, the cost frontier, and how they are drawn."""
