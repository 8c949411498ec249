"""The routes of older systems, each over the queues that the configuration gives it."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

import structlog

from jobengine.access import Access
from jobengine.engine.interface import Engine
from jobengine.facades.front import Front
from jobengine.facades.job_manager import JobManager
from jobengine.facades.jobd import Jobd
from jobengine.facades.jobrunner import Jobrunner
from jobengine.facades.linux_job_worker import LinuxJobWorker
from jobengine.settings.doors import FacadeSettings, JobdSettings, JobrunnerSettings
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.web.routes import Route
from jobengine.web.server import WebServer

_LINUX_JOB_WORKER: Final = "linux_job_worker"

log = structlog.get_logger(__name__)


def facade_routes(
    settings: Settings, engine: Engine, access: Access, web: WebServer
) -> Mapping[str, Iterable[Route]]:
    """Those of each facade that is open, by its name."""
    front = partial(Front, engine, access, web.bodies, web.patience)
    facades = settings.facades
    named = {queue.name: queue for queue in settings.queues}
    routes: dict[str, Iterable[Route]] = {}
    for name, facade in facades.open.items():
        queue = named[str(facade.queue)]  # the configuration is refused when it is not there
        routes[name] = tuple(_routes(name, facade, front(queue.name, facade.service), queue))
        log.info("facade_open", facade=name, queue=queue.name, port=facade.port or web.port)
    return routes


def _routes(name: str, facade: FacadeSettings, front: Front, queue: QueueSettings) -> Iterable[Route]:
    match facade:
        case JobdSettings():
            return Jobd(front, slurm_queue=facade.slurm_queue).routes()
        case JobrunnerSettings():
            if not facade.password:
                log.warning("facade_without_password", facade=name)
            return Jobrunner(front, password=facade.password, workers=queue.run.workers).routes()
        case _ if name == _LINUX_JOB_WORKER:
            return LinuxJobWorker(front, command_length=queue.run.command_length).routes()
        case _:
            return JobManager(front, queue.run.classes).routes()
