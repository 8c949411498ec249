"""Running jobs: takes them from a source, runs each by its runner, reports how it ended."""
