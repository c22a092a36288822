"""Sweeps on many machines: Ray places, queues and retries stages; one process there has the ledger's file."""
