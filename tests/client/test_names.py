"""The public names."""

import inspect
import subprocess
import sys

import pytest

import jobengine
from jobengine import AsyncClient, Client


def test_every_public_name_is_there() -> None:
    for name in jobengine.__all__:
        assert getattr(jobengine, name) is not None


def test_a_name_that_is_not_there_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Clint'"):
        _ = jobengine.Clint


def test_importing_jobengine_loads_no_client() -> None:
    look = "import sys, jobengine; print(not {'aiohttp', 'urllib3', 'msgspec', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_both_clients_offer_the_same_calls() -> None:
    assert _calls(Client) == _calls(AsyncClient)
    assert {"create", "claim", "settle", "jobs", "purge_queue"} <= set(_calls(Client))


def _calls(client: type) -> dict[str, tuple[str, ...]]:
    functions = inspect.getmembers(client, inspect.isfunction)
    return {
        name: tuple(inspect.signature(function).parameters)
        for name, function in functions
        if not name.startswith("__")
    }


def test_help_shows_a_call_as_the_method_that_it_is() -> None:
    assert str(inspect.signature(Client.get)).startswith("(self, /, queue: str, uid: str)")


def test_every_call_says_what_it_does() -> None:
    undocumented = [name for name in _calls(Client) if not (getattr(Client, name).__doc__ or "").strip()]
    assert undocumented == []
