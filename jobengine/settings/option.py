"""What one line of the table of options is, and what many of its lines have in common."""

from operator import attrgetter
from typing import Final

from msgspec import Struct

from jobengine.settings.kinds import Kind, Text
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.settings.writing import written

QUEUE: Final = "queues.<name>"  # what is said of a queue, whatever its name

_NAME: Final = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
NAME: Final = Text(_NAME, 'a name (letters, digits, ".", "_", "-"; at most 64, a letter or digit first)')
NAME_OR_ALL: Final = Text(rf"\*|{_NAME}", f'{NAME.expected}, or "*" for every service')
ADDRESS: Final = Text("[A-Za-z0-9.:_-]{1,253}", "an IP address or the name of a host")
HOST_NAME: Final = Text(r"\*|[A-Za-z0-9._-]{1,253}", 'the name of a host without its port, or "*" for any')
ORIGIN: Final = Text(
    r"https?://[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?", "an origin such as https://jobs.example.org"
)
DIRECTORY: Final = Text(r"[^\x00-\x1f\x7f]{1,4096}", "the path of a directory")


class Option(Struct, frozen=True):
    """One line of the table. `path` leads to the value, in the file and in `Settings` alike."""

    path: str
    kind: Kind
    meaning: str
    unit: str = ""
    live: bool = False  # whether a change is taken up while the server runs; else a restart is needed
    needed: bool = False
    inherits: bool = False  # from the option of the same name at the top
    default_text: str = ""  # the default, where it depends on the machine

    @property
    def section(self) -> str:
        """The path of what it stands in; "" is the top of the file."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its key there."""
        return self.path.rpartition(".")[2]

    @property
    def default(self) -> object:
        """The value that holds when it is not there."""
        if self.path.startswith(f"{QUEUE}."):
            queue = QueueSettings(name="", read=frozenset(), write=frozenset())
            return attrgetter(self.path.removeprefix(f"{QUEUE}."))(queue)
        return attrgetter(self.path)(Settings())

    @property
    def written_default(self) -> str:
        """The default as it would be written in the file."""
        return self.default_text or written(self.kind, self.default)
