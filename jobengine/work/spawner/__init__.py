"""The one place that starts processes: a small process beside the worker, and the worker's side of it."""
