"""The one place where numbers for people are made: a results folder becomes a table."""
