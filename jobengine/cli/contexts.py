"""Brokers that this user knows by a name, in `$XDG_CONFIG_HOME/jobengine/contexts.yml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from jobengine.errors import ConfigurationWrong, InputOutputFailed

_OWNER_ONLY: Final = 0o600
_VARIABLES: Final = {each: f"JOBENGINE_{each.upper()}" for each in ("url", "name", "ca", "cert", "key")}


class Context(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a broker is, and who asks it."""

    url: str | None = None
    name: str | None = None  # of the service that asks
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class Contexts(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """All of them, and the one that is in use."""

    current: str | None = None
    contexts: dict[str, Context] = {}

    def named(self, name: str) -> Context:
        """One of them. Raises ConfigurationWrong."""
        try:
            return self.contexts[name]
        except KeyError:
            known = ", ".join(self.contexts) or "none yet"
            raise ConfigurationWrong(f"there is no context {name}; there are: {known}") from None


def contexts_path(environment: Mapping[str, str]) -> Path:
    """Where they are kept."""
    home = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME") or "~").expanduser() / ".config"
    return Path(home) / "jobengine" / "contexts.yml"


def load_contexts(environment: Mapping[str, str]) -> Contexts:
    """All that are kept. Raises ConfigurationWrong."""
    path = contexts_path(environment)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Contexts()
    except OSError as error:
        raise ConfigurationWrong(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return msgspec.yaml.decode(data, type=Contexts)
    except msgspec.MsgspecError as error:
        wrong = " ".join(str(error).split())
        raise ConfigurationWrong(f"{path}: mend it, or remove it: {wrong}") from error


def save_contexts(environment: Mapping[str, str], contexts: Contexts) -> None:
    """Keep these. Raises InputOutputFailed."""
    from jobengine.settings.whole_file import write_whole

    path = contexts_path(environment)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, msgspec.yaml.encode(contexts), mode=_OWNER_ONLY)
    except OSError as error:
        raise InputOutputFailed(f"{path}: cannot be written: {error.strerror}") from error


def context_in_use(given: Context, chosen: str | None, environment: Mapping[str, str]) -> Context:
    """Of each what is given, else what the context says that is chosen, else what the environment says.

    A context that nobody chose just now comes after the environment. Raises ConfigurationWrong.
    """
    contexts = load_contexts(environment)
    name = chosen or environment.get("JOBENGINE_CONTEXT") or contexts.current
    kept = Context() if name is None else contexts.named(name)
    said = Context(**{each: environment.get(variable) for each, variable in _VARIABLES.items()})
    order = (given, said, kept) if chosen is None else (given, kept, said)
    return Context(
        **{each: next(filter(None, (getattr(one, each) for one in order)), None) for each in _VARIABLES}
    )
