"""Stages that run side by side: how many fit, who waits for them."""
