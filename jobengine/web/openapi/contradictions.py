"""What no type can say: which fields need, or exclude, one another. The bodies check it themselves."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from jobengine.web.v1.bodies import UpdateBody
from jobengine.web.v2.amending import AmendBody
from jobengine.web.v2.drafts import NewJob
from jobengine.web.v2.settlements import SettleBody
from jobengine.web.v2.slices import NEED_TARGET, TAKE_TARGET, BulkBody

Json = dict[str, Any]


def _says(*names: str) -> Json:
    """These fields are there, and not null."""
    return {"required": list(names), "properties": {name: {"not": {"type": "null"}} for name in names}}


def _needs(when: Json, what: Json) -> Json:
    return {"anyOf": [{"not": when}, what]}


def _does(actions: frozenset[str]) -> Json:
    return {"properties": {"action": {"enum": sorted(actions)}}}


def _one_at_least(name: str) -> Json:
    return {"required": [name], "properties": {name: {"minItems": 1}}}


CONTRADICTIONS: Final[Mapping[type[Struct], Json]] = {
    NewJob: {
        "allOf": [
            {"not": _says("not_before", "delay")},
            _needs(_says("unique_for"), _says("unique_key")),
        ]
    },
    AmendBody: {
        "minProperties": 1,
        "allOf": [
            {"not": {"required": pair}} for pair in (["expires", "valid_for"], ["not_before", "delay"])
        ],
    },
    BulkBody: {
        "allOf": [_needs(_does(NEED_TARGET), _says("to")), _needs(_says("to"), _does(TAKE_TARGET))],
    },
    SettleBody: {"anyOf": [_one_at_least(name) for name in SettleBody.__struct_fields__]},
    UpdateBody: {"anyOf": [{"required": [name]} for name in UpdateBody.__struct_fields__]},
}
