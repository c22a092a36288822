"""Methods: ours, baselines, references and controls; one file each, by what they learn from, found through
``harness.methods``."""
