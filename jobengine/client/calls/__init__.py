"""Every call of the client, without its I/O: what to ask, and what to make of the responses."""
