"""The options of a queue as API v2 takes them: those of the configuration, by the same names."""

from typing import Any

from jobengine.settings.kinds import Choice, Delays, Flag, Kind, Number, Several, Text, Whole
from jobengine.settings.option import QUEUE
from jobengine.settings.options import OPTIONS
from jobengine.web.v2.durations import Delay


class QueueOptions:
    """Only described here: the settings check them as they check a file."""

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """As JSON Schema says it."""
        options = [option for option in OPTIONS if option.section == QUEUE]
        return {
            "type": "object",
            "properties": {
                option.name: _schema(option.kind) | {"description": option.meaning} for option in options
            },
            "required": [option.name for option in options if option.needed],
            "additionalProperties": False,
        }


def _schema(kind: Kind) -> dict[str, Any]:
    match kind:
        case Flag():
            return {"type": "boolean"}
        case Whole(least=least, most=most):
            return {"type": "integer", "minimum": least, "maximum": most}
        case Number(least=least, most=most):
            return {"type": "number", "minimum": least, "maximum": most}
        case Choice(words=words):
            return {"enum": list(words)}
        case Text(pattern=pattern):
            return {"type": "string", "pattern": f"^(?:{pattern})$"}
        case Several(each=each):
            return {"type": "array", "items": _schema(each), "uniqueItems": True}
        case Delays():
            delays = {"type": "array", "items": Delay.schema(), "minItems": 1, "maxItems": 100}
            return {"anyOf": [{"$ref": "#/components/schemas/Growing"}, delays]}
        case _:
            return {}  # written in several ways: the description tells
