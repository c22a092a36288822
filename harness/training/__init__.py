"""Training: the loop, its state, checkpoints, early stopping, several processes; the stages that train."""
