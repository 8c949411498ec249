"""The control socket beside the database file: what needs the running server is asked through it."""
