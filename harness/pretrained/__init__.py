"""Model folders of others: what they hold, and how they load whole or not at all."""
