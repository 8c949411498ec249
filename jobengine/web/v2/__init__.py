"""API v2: the full API. The Python client and the command line use nothing else."""
