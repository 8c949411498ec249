"""JobEngine: a persistent, encrypted, multi-queue job broker."""

__version__ = "0.1.0"
