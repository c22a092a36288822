"""Metrics: one file a family, one class a metric. Names, parameters and values are those of ir_measures."""
