"""Doors besides the plain one: TLS, and the routes of older systems."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import asdict


class TlsSettings(Struct, frozen=True):
    """No TLS without a certificate. Paths are as seen from where the server was started."""

    cert: str | None = None
    key: str | None = None
    client_ca: str | None = None
    require_client_cert: bool = False
    names: dict[str, str] = {}

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that it is made of."""
        return tuple(path for path in (self.cert, self.key, self.client_ca) if path is not None)


class FacadeSettings(Struct, frozen=True):
    """An older system's routes; closed without a queue. Without a port they are on the server's own."""

    queue: str | None = None
    service: str | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    tls: TlsSettings = TlsSettings()


class JobdSettings(FacadeSettings, frozen=True):
    """jobd also has jobs for Slurm."""

    slurm_queue: str | None = None


class JobrunnerSettings(FacadeSettings, frozen=True):
    """jobrunner knows one password."""

    password: str | None = None


class FacadesSettings(Struct, frozen=True):
    """All of them."""

    jobd: JobdSettings = JobdSettings()
    jobrunner: JobrunnerSettings = JobrunnerSettings()
    linux_job_worker: FacadeSettings = FacadeSettings()
    job_manager: FacadeSettings = FacadeSettings()

    @property
    def open(self) -> Mapping[str, FacadeSettings]:
        """Those that have a queue, by their names."""
        return {name: facade for name, facade in asdict(self).items() if facade.queue is not None}
