"""The Python client: speaks API v2 over HTTP, and raises the refusals of errors.py."""
