"""The options of TLS, and of the routes of older systems."""

from collections.abc import Iterator
from typing import Final

from jobengine.settings.kinds import Flag, Pairs, Text, Whole
from jobengine.settings.option import ADDRESS, NAME, Option

FACADES: Final = "facades"

_FILE: Final = Text(r"[^\x00-\x1f\x7f]{1,4096}", "the path of a file")
_COMMON_NAME: Final = Text(r"[^\x00-\x1f\x7f]{1,64}", "the common name of a certificate")
_PORT: Final = Whole(0, 65535)
_PASSWORD: Final = Text(r"([^\x00-\x1f\x7f]{1,1024}[\r\n]*)?", "a text of one line")


def _tls(section: str) -> Iterator[Option]:
    yield Option(f"{section}.cert", _FILE, "The certificate (PEM, with its chain); without one: no TLS.")
    yield Option(f"{section}.key", _FILE, "Its private key (PEM).")
    yield Option(f"{section}.client_ca", _FILE, "Who signs the certificates of clients (PEM).")
    yield Option(f"{section}.require_client_cert", Flag(), "Whether a client without one is turned away.")
    yield Option(
        f"{section}.names",
        Pairs(_COMMON_NAME, NAME),
        "Common names of certificates, and the service that each stands for; "
        "one with a URI or DNS name stands for the service of that name.",
    )


def _facade(name: str, system: str) -> Iterator[Option]:
    section = f"{FACADES}.{name}"
    yield Option(f"{section}.queue", NAME, f"Where the jobs of {system} go; without one it is closed.")
    yield Option(f"{section}.service", NAME, "The service that these routes act as.")
    yield Option(f"{section}.host", ADDRESS, "Where a listener for these routes alone listens.")
    yield Option(f"{section}.port", _PORT, "Its port; without one they are beside the API.")
    yield from _tls(f"{section}.tls")


TLS_OPTIONS: Final = tuple(_tls("tls"))

FACADE_OPTIONS: Final = (
    *_facade("jobd", "jobd"),
    Option(f"{FACADES}.jobd.slurm_queue", NAME, "Where jobs for Slurm go; without it they are refused."),
    *_facade("jobrunner", "jobrunner"),
    Option(f"{FACADES}.jobrunner.password", _PASSWORD, "What X-JR-PASSWORD must say; empty: anybody."),
    *_facade("linux_job_worker", "the Linux Job Worker"),
    *_facade("job_manager", "the Job Manager"),
)
