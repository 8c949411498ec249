"""The words and the rules. Pure: no I/O, no clock, no randomness."""
