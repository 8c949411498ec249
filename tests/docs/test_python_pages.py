"""What the pages about Python show can be typed: every name is there, and takes what it is given."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import jobengine
from jobengine.testing import Broker

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = ("python-client", "python-worker", "test-your-service")
OWNERS: Final = {
    "jobengine": jobengine,
    "client": jobengine.Client,
    "worker": jobengine.Worker,
    "running": Broker,
    "job": jobengine.CurrentJob,
}

_BLOCK: Final = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _parsed(page: str) -> Iterator[ast.Module]:
    for block in _BLOCK.findall((ROOT / f"docs/how-to/{page}.md").read_text()):
        yield compile(block, page, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("page", PAGES)
def test_every_name_that_is_used_is_there(page: str) -> None:
    for used in _attributes(page):
        owner = OWNERS[used.value.id]  # type: ignore[attr-defined]
        is_field = used.attr in jobengine.Job.__struct_fields__ or used.attr in (
            "url",
            "is_lost",
            "is_to_end",
        )
        assert hasattr(owner, used.attr) or is_field, f"{page}:{used.lineno}: {ast.unparse(used)}"


@pytest.mark.parametrize("page", PAGES)
def test_every_call_takes_what_it_is_given(page: str) -> None:
    for parsed in _parsed(page):
        for call in ast.walk(parsed):
            if isinstance(call, ast.Call) and _is_ours(call.func):
                function = getattr(OWNERS[call.func.value.id], call.func.attr)  # type: ignore[attr-defined]
                taken = inspect.signature(function).parameters
                for keyword in call.keywords:
                    assert keyword.arg in taken, f"{page}:{call.lineno}: {ast.unparse(call)}"


def _attributes(page: str) -> Iterator[ast.Attribute]:
    for parsed in _parsed(page):
        yield from (each for each in ast.walk(parsed) if isinstance(each, ast.Attribute) and _is_ours(each))


def _is_ours(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Attribute)
        and isinstance(expression.value, ast.Name)
        and expression.value.id in OWNERS
    )


def test_every_call_of_the_client_stands_on_its_page() -> None:
    page = (ROOT / "docs/how-to/python-client.md").read_text()
    calls = [name for name, _ in inspect.getmembers(jobengine.Client, inspect.isfunction) if name[0] != "_"]
    assert [name for name in calls if not re.search(rf"\b{name}\b", page)] == ["carry_out", "close"]
