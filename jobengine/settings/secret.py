"""The SECRET: taken from one place, never logged, and not left in the environment."""

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from jobengine.errors import ConfigurationWrong

SECRET_MOST_BYTES: Final = 4096  # what a pipe is sure to take at once
SHORT_CHARACTERS: Final = 12
DESCRIPTOR: Final = "JOBENGINE_SECRET_FD"  # set by `pass_on`, for nobody else

_MISSING: Final = (
    "SECRET: is not set; the database file is sealed with it. Make one, keep it, and give it as SECRET or in "
    "the file that SECRET_FILE names: SECRET=$(openssl rand -hex 32)"
)


def read_secret(environment: MutableMapping[str, str]) -> str:
    """The SECRET. What holds it is taken out of `environment`.

    Raises ConfigurationWrong when there is none, or more than one.
    """
    if "SECRET" in environment and "SECRET_FILE" in environment:
        raise ConfigurationWrong("SECRET and SECRET_FILE: both are set; set one of them")
    descriptor = environment.pop(DESCRIPTOR, None)
    if descriptor is not None:
        return _checked("SECRET", _passed_on(descriptor))
    if "SECRET" in environment:
        return _checked("SECRET", os.fsencode(environment.pop("SECRET")))
    if "SECRET_FILE" in environment:
        return _checked("SECRET_FILE", _in_file("SECRET_FILE", Path(environment["SECRET_FILE"])))
    raise ConfigurationWrong(_MISSING)


def read_new_secret(environment: MutableMapping[str, str]) -> str | None:
    """The SECRET that is to take the place of the present one; None when none is given.

    What holds it is taken out of `environment`. Raises ConfigurationWrong.
    """
    if "SECRET_NEW" in environment and "SECRET_NEW_FILE" in environment:
        raise ConfigurationWrong("SECRET_NEW and SECRET_NEW_FILE: both are set; set one of them")
    if "SECRET_NEW" in environment:
        return _checked("SECRET_NEW", os.fsencode(environment.pop("SECRET_NEW")))
    if "SECRET_NEW_FILE" in environment:
        return _checked("SECRET_NEW_FILE", _in_file("SECRET_NEW_FILE", Path(environment["SECRET_NEW_FILE"])))
    return None


def is_short(secret: str) -> bool:
    """Whether a patient stranger with a copy of the file might guess it."""
    return len(secret) < SHORT_CHARACTERS


def pass_on(environment: MutableMapping[str, str]) -> None:
    """Move the SECRET into a pipe, whose descriptor `environment` then names instead of it.

    Raises ConfigurationWrong.
    """
    secret = read_secret(environment)
    reading, writing = os.pipe()
    os.write(writing, secret.encode())
    os.close(writing)
    os.set_inheritable(reading, True)  # noqa: FBT003 - it takes no keywords
    environment[DESCRIPTOR] = str(reading)


def _passed_on(descriptor: str) -> bytes:
    try:
        with open(int(descriptor), "rb") as pipe:  # noqa: PTH123 - a descriptor has no path
            return pipe.read(SECRET_MOST_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigurationWrong(
            f"{DESCRIPTOR}: is not for use from outside; set SECRET or SECRET_FILE"
        ) from error


def _in_file(source: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SECRET_MOST_BYTES + 2).removesuffix(b"\n")
    except OSError as error:
        raise ConfigurationWrong(f"{source}: {path} cannot be read: {error.strerror}") from error


def _checked(source: str, secret: bytes) -> str:
    if not secret:
        raise ConfigurationWrong(f"{source}: is empty")
    if len(secret) > SECRET_MOST_BYTES:
        raise ConfigurationWrong(f"{source}: is longer than {SECRET_MOST_BYTES} bytes")
    try:
        return secret.decode()
    except UnicodeDecodeError:
        # Without the cause: its text would hold the bytes.
        raise ConfigurationWrong(f"{source}: is not UTF-8 text") from None
