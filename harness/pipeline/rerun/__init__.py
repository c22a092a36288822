"""Published runs made once more."""
