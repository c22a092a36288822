"""Methods: ours, baselines, references and controls; one file each, found through the entry point ``harness.methods``."""
