"""One run looked at closely: settings, provenance, labels, rankings, strata."""
