"""Published runs: their card, how a folder is written and read, and what it takes to believe one."""
