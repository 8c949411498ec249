"""Walks the nodes of a configuration along the table of options. Collects values, and every mistake."""

from collections.abc import Collection, Iterable, Mapping

import yaml
from msgspec import Struct

from jobengine.settings.dead_letters import LEADS_BACK, lead_back
from jobengine.settings.facade_rules import wrong_facades
from jobengine.settings.kinds import Delays, Pairs, Plain, Rules, Several, Tag, Words
from jobengine.settings.mistakes import Mistakes, Place, quote
from jobengine.settings.nodes import line_at, line_of, tag_of
from jobengine.settings.option import NAME, QUEUE, Option
from jobengine.settings.options import QUEUES, options_of, sections_of
from jobengine.settings.retries import read_backoff, read_rules
from jobengine.settings.run_rules import wrong_together
from jobengine.settings.values import ValueReader

Values = dict[str, object]


class DeadLetter(Struct, frozen=True):
    """Where it is written that one queue takes what failed in another."""

    queue: str
    target: str
    line: int
    place: Place


class Reader:
    """Reads one document. Without an environment, `${NAME}` stands for nothing."""

    def __init__(self, environment: Mapping[str, str] | None, mistakes: Mistakes) -> None:
        self._values = ValueReader(environment, mistakes)
        self._mistakes = mistakes
        self._dead_letters: list[DeadLetter] = []

    def settings(self, root: yaml.Node) -> Values:
        """The values of the whole file; what it does not name is not there."""
        values: Values = {}
        queues: list[Values] | None = None
        for name, line, node in self._values.entries(root, ()):
            if name == QUEUES:
                entries = self._values.entries(node, (QUEUES,))
                queues = [self._named_queue(*entry) for entry in entries]
            else:
                self._read(values, name, line, node, section="", place=())
        if queues is None and isinstance(root, yaml.MappingNode):
            self._mistakes.add(line_of(root), (), f'"{QUEUES}" is missing (write "{QUEUES}: {{}}" for none)')
        names = [str(queue["name"]) for queue in queues or () if queue]
        self.check_dead_letters(names)
        self._check_facades(root, values, queues or ())
        return {**values, QUEUES: [{**_inherited(values), **queue} for queue in queues or ()]}

    def queue(self, name: str, node: yaml.Node, *, line: int, place: Place) -> Values:
        """The values of one queue."""
        values = self._options(node, section=QUEUE, place=place)
        for option in options_of(QUEUE).values():
            if option.needed and option.name not in values and isinstance(node, yaml.MappingNode):
                self._mistakes.add(
                    line, place, f'"{option.name}" is missing (write "{option.name}: []" for nobody)'
                )
        if isinstance(run := values.get("run"), dict):
            for key, wrong in wrong_together(run):
                self._mistakes.add(line_at(node, "run", key), (*place, "run"), wrong)
        if isinstance(target := values.get("dead_letter"), str):
            self._dead_letters.append(_dead_letter(node, name, target, place))
        return {"name": name, **values}

    def check_dead_letters(self, queues: Collection[str]) -> None:
        """See that what the queues read so far name is one of these, and that no way leads back."""
        targets = {letter.queue: letter.target for letter in self._dead_letters}
        for letter in self._dead_letters:
            if letter.target == letter.queue:
                self._mistakes.add(letter.line, letter.place, "must be another queue than this one")
            elif letter.target not in queues:
                self._mistakes.add_name(letter.line, letter.place, "there is no queue", letter.target, queues)
            elif lead_back(targets, letter.queue):
                self._mistakes.add(letter.line, letter.place, LEADS_BACK)

    def _check_facades(self, root: yaml.Node, values: Values, queues: Iterable[Values]) -> None:
        """See that older systems' routes go to queues that run such jobs, for somebody who is known."""
        by_name = {str(queue["name"]): queue for queue in queues if queue}
        for name, key, wrong in wrong_facades(values, by_name):
            self._mistakes.add(line_at(root, "facades", name, key), ("facades", name, key), wrong)

    def _named_queue(self, name: str, line: int, node: yaml.Node) -> Values:
        if not is_name(name):
            self._mistakes.add(line, (QUEUES,), f"a queue's name must be {NAME.expected}", saw=quote(name))
            return {}
        return self.queue(name, node, line=line, place=(QUEUES, name))

    def _options(self, node: yaml.Node, *, section: str, place: Place) -> Values:
        values: Values = {}
        for name, line, value in self._values.entries(node, place):
            self._read(values, name, line, value, section=section, place=place)
        return values

    def _read(
        self, values: Values, name: str, line: int, node: yaml.Node, *, section: str, place: Place
    ) -> None:
        """Put what stands at this key into the values of its section."""
        options, sections = options_of(section), sections_of(section)
        if name in sections:
            values[name] = self._options(node, section=sections[name], place=(*place, name))
        elif name in options:
            values[name] = self._option(node, options[name], (*place, name))
        else:
            known = [*options, *sections, *([] if section else [QUEUES])]
            self._values.unknown(line, place, name, known)

    def _option(self, node: yaml.Node, option: Option, place: Place) -> object:
        match option.kind:
            case Several():
                return self._values.several(node, option.kind, place)
            case Words():
                return self._values.words(node, option.kind, place)
            case Pairs():
                return self._values.pairs(node, option.kind, place)
            case Delays():
                return read_backoff(self._values, node, place)
            case Rules():
                return read_rules(self._values, node, place)
            case _ if tag_of(node) is Tag.NOTHING and option.default is None:
                return None
            case _:
                return self._values.single(node, option.kind, place)


def is_name(text: str) -> bool:
    """Whether a queue may be called so."""
    return NAME.parse(Plain(text, Tag.TEXT)) is not None


def _dead_letter(node: yaml.Node, queue: str, target: str, place: Place) -> DeadLetter:
    return DeadLetter(queue, target, line_at(node, "dead_letter"), (*place, "dead_letter"))


def _inherited(values: Values) -> Values:
    """What every queue has that does not say otherwise."""
    return {
        name: values[name] for name, option in options_of(QUEUE).items() if option.inherits and name in values
    }
