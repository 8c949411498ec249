"""The command line: one file per command or group. Nothing heavy is imported before it is needed."""
