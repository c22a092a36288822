"""The command line: commands of a few lines; the only place that prints."""
