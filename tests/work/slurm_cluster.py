"""A Slurm of one node on this machine: munged, slurmctld and slurmd, with files and ports of their own."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.ports import free_port

# All run as whoever runs the tests.
CONFIGURATION = """
ClusterName=jobengine
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={place}/socket/munge
SlurmUser={user}
SlurmdUser={user}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/linear
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
MailProg=/bin/true
MpiDefault=none
KillWait=1
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
SECONDS = 20.0  # until it is ready

IS_INSTALLED = all(shutil.which(program) for program in ("munged", "slurmctld", "slurmd", "sbatch"))


@contextmanager
def slurm_cluster(place: Path) -> Iterator[Path]:
    """The path of its configuration, while it runs."""
    for name in ("socket", "state", "spool", "munge"):
        (place / name).mkdir(mode=0o711 if name == "socket" else 0o700)
    (place / "munge" / "key").write_bytes(secrets.token_bytes(128))
    (place / "munge" / "key").chmod(0o600)
    configuration = place / "slurm.conf"
    configuration.write_text(_configured(place))
    with ExitStack() as running:
        running.enter_context(_program(place, *_munged(place)))
        _wait_for((place / "socket" / "munge").exists)
        for program in ("slurmctld", "slurmd"):
            running.enter_context(_program(place, program, "-D", "-f", str(configuration)))
        _wait_for(lambda: "idle" in command(configuration, "sinfo", "--noheader", "--format=%T"))
        yield configuration


def command(configuration: Path, *argv: str) -> str:
    """What one of Slurm's programs says."""
    environment = os.environ | {"SLURM_CONF": str(configuration)}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False).stdout


def _configured(place: Path) -> str:
    return CONFIGURATION.format(
        host=socket.gethostname().partition(".")[0],
        controller_port=free_port(),
        node_port=free_port(),
        place=place,
        user=pwd.getpwuid(os.geteuid()).pw_name,
        cpus=os.cpu_count(),
    )


def _munged(place: Path) -> tuple[str, ...]:
    names = {"key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    files = (f"--{option}={place}/munge/{name}" for option, name in names.items())
    return ("munged", "--foreground", f"--socket={place}/socket/munge", "--force", *files)


@contextmanager
def _program(place: Path, *argv: str) -> Iterator[None]:
    with (place / "said").open("ab") as said, subprocess.Popen(argv, stdout=said, stderr=said) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, "Slurm does not start; its logs say why"
        time.sleep(0.05)
