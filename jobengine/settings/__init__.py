"""What the operator says: the configuration file, the environment, the logs. All mistakes at once."""
