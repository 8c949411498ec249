"""The real server on a disk that fails: a sync that does not succeed, a file system that is full."""
