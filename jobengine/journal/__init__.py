"""Bytes that survive: the encrypted database file. `Journal` is the room's only door."""
