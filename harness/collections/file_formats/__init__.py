"""How files are laid out and packed: what a reader must know before it reads a line."""
