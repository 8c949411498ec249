"""Older systems, as their programs know them: their routes, mapped onto queues of this broker."""
