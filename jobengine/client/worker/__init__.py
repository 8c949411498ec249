"""Workers: functions that do the jobs of queues."""

from jobengine.client.worker.current import CurrentJob
from jobengine.client.worker.endings import Fail, Release, Retry
from jobengine.client.worker.worker import Worker

__all__ = ["CurrentJob", "Fail", "Release", "Retry", "Worker"]
