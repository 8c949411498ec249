"""A worker as a program of its own, for tests that end it: says "begun", and never ends its job.

With an argument it does that in a process.
"""

import sys
import threading

import jobengine

worker = jobengine.Worker(concurrency=1)


@worker.job("mail", in_process=len(sys.argv) > 1)
def wait(_content: object) -> None:
    """For ever."""
    print("begun", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    worker.run()
