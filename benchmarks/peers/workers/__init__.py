"""Job libraries doing nothing, each with a worker of its own: the same number of jobs at once."""
