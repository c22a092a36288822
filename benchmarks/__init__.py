"""What `make bench` runs: our parts against peers, on the same work, on the same machine, one after another."""
