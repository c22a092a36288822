"""Labelling: rankings, the ledger of paid calls, and the stage that asks a teacher."""
