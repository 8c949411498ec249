"""Trying the hard parts of the suite for hours: each goes on where the last run of this commit ended."""
