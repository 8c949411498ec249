"""API v1: the documented API of the system that gave this project its name, kept exactly."""
