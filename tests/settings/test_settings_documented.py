"""An option that is not documented, or documented otherwise than it is, fails here."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from jobengine.cli import contexts
from jobengine.client import address
from jobengine.settings import environment, logs, secret
from jobengine.settings.environment import VARIABLES
from jobengine.settings.load import load
from jobengine.settings.option import QUEUE, Option
from jobengine.settings.options import OPTIONS
from jobengine.settings.reference import options_table, variables_table
from jobengine.settings.schema import QueueSettings, Settings

CONFIGURATIONS = Path(__file__).parents[2] / "config"
EXAMPLE = CONFIGURATIONS / "example.yml"


def paths_of(kind: type[msgspec.Struct], above: str = "") -> Iterator[str]:
    """The paths of all values that settings hold."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from paths_of(field.type, f"{above}{field.name}.")
        else:
            yield above + field.name


def lines_of_example() -> dict[str, str]:
    """Path → the line of the example where its key stands, and the comment lines that go on with it."""
    text = EXAMPLE.read_text(encoding="utf-8").splitlines()
    root = yaml.compose("\n".join(text), Loader=yaml.SafeLoader)
    return {path.replace(".mail.", ".<name>."): described(text, line) for path, line in _keys(root)}


def described(text: list[str], line: int) -> str:
    end = line + 1
    while end < len(text) and text[end].lstrip().startswith("#"):
        end += 1
    return " ".join(text[line:end])


def _keys(node: yaml.Node, above: str = "") -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield above + key.value, key.start_mark.line
            yield from _keys(value, f"{above}{key.value}.")


def test_the_table_names_every_setting_and_no_other() -> None:
    of_queues = {path for path in paths_of(QueueSettings) if not path.startswith("backoff.")} | {"backoff"}
    of_queues -= {"name", "is_made_by_api"}
    expected = {*paths_of(Settings), *(f"{QUEUE}.{name}" for name in of_queues)}
    assert {option.path for option in OPTIONS} == expected - {"queues"}


def test_the_example_loads_and_says_nothing_but_the_defaults() -> None:
    settings = load(EXAMPLE, {})
    (queue,) = settings.queues
    assert msgspec.structs.replace(settings, queues=()) == Settings()
    assert queue == QueueSettings("mail", read=frozenset({"postman"}), write=frozenset({"website"}))


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.path)
def test_the_example_shows_every_option_with_its_default_and_its_unit(option: Option) -> None:
    line = lines_of_example()[option.path]
    comment = line.partition("#")[2]
    if not option.needed:
        assert re.search(rf"\b{option.name}: {re.escape(option.written_default)}(\s|$)", line)
    assert option.unit in comment
    assert ("(restart)" in comment) is not option.live


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.path)
def test_the_reference_has_a_whole_row_for_every_option(option: Option) -> None:
    (row,) = [row for row in options_table().splitlines() if row.startswith(f"| `{option.path}` |")]
    assert row.count(" | ") == options_table().splitlines()[0].count(" | ")
    assert option.meaning.endswith(".")
    assert option.meaning in row


def test_every_environment_variable_that_is_read_is_documented() -> None:
    modules = (environment, logs, secret, address, contexts)
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    used = {name for source in sources for name in re.findall(r'environ\w*[^"\n]*"([A-Z_]{4,})"', source)}
    used |= {f"JOBENGINE_{field.upper()}" for field in contexts.Context.__struct_fields__}
    of_the_system = {"HOME", "XDG_CONFIG_HOME"}
    assert used - of_the_system == {variable.name for variable in VARIABLES}
    assert all(f"| `{variable.name}` |" in variables_table() for variable in VARIABLES)


@pytest.mark.parametrize("path", sorted(CONFIGURATIONS.glob("*.yml")), ids=lambda path: path.name)
def test_every_ready_configuration_loads(path: Path) -> None:
    assert load(path, {"JOBRUNNER_CMD": "/bin/date"}).queues
