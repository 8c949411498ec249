"""JSON is read strictly, inside content too, where the parser keeps raw bytes."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobengine.errors import InvalidJson
from jobengine.web.strict_json import MAX_DEPTH, check_json
from tests.support.problem import MARKER, problem
from tests.support.service import Service


def body(content: bytes) -> bytes:
    return b'{"content":%b,"valid_for":60,"priority":5}' % content


def nested(depth: int) -> bytes:
    """A content with which the whole body is nested so deep."""
    return b'{"a":' + b"[" * (depth - 2) + b"]" * (depth - 2) + b"}"


WRONG_CONTENTS = {
    "not UTF-8": b'{"a":"\xff"}',
    "UTF-8 cut": b'{"a":"\xe4\xb8"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "Latin-1 name": b'{"\xe4":1}',
    "a lone high surrogate": rb'{"a":"\ud800"}',
    "a lone low surrogate": rb'{"a":"\udc00"}',
    "a lone surrogate in a name": rb'{"\ud800":1}',
    "surrogates in the wrong order": rb'{"a":"\udc00\ud800"}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":[Infinity]}',
    "-Infinity": b'{"a":-Infinity}',
    "1e999": b'{"a":1e999}',
    "-1e999": b'{"a":[{"b":-1e999}]}',
    "1E400": b'{"a":1E400}',
    "many digits and an exponent": b'{"a":' + b"9" * 300 + b"e10}",
    "the same name twice": b'{"a":1,"a":1}',
    "the same name twice, deep": b'{"a":[{"b":{"c":1,"d":2,"c":3}}]}',
    "the same name twice, escaped": rb'{"a":1,"\u0061":2}',
    "the same name twice, with a colon in a string": b'{"a":"x:y:z","a":1}',
    "the same name twice, with a colon escaped": rb'{"a":1,"a":"\u003a"}',
    "the same name twice, with a colon escaped otherwise": rb'{"a":"\u003A","a":2}',
    "the same name twice, with colons in names": b'{"a:b":1,"a:b":2}',
    "the empty name twice": b'{"":1,"":2}',
    "a single quote": b"{'a':1}",
    "a comma too many": b'{"a":1,}',
    "a comma too many in a list": b'{"a":[1,]}',
    "a comma too few": b'{"a":1 "b":2}',
    "no colon": b'{"a" 1}',
    "a name that is no string": b"{1:1}",
    "a leading zero": b'{"a":01}',
    "a plus sign": b'{"a":+1}',
    "no digit before the point": b'{"a":.5}',
    "no digit behind the point": b'{"a":5.}',
    "hexadecimal": b'{"a":0x10}',
    "an unknown word": b'{"a":undefined}',
    "a comment": b'{"a":1/*x*/}',
    "a control character in a string": b'{"a":"\x01"}',
    "a line break in a string": b'{"a":"\n"}',
    "NUL in a string": b'{"a":"\0"}',
    "an unknown escape": rb'{"a":"\x41"}',
    "a short escape": rb'{"a":"\u00e"}',
    "a form feed as white space": b'{"a":\x0c1}',
    "a no-break space": b'{"a":\xc2\xa01}',
    "65 deep": nested(65),
    "far too deep": nested(100_000),
    "deep and cut": b'{"a":' + b"[" * 200_000,
    "an unclosed string": b'{"a":"' + MARKER.encode(),
}


@pytest.mark.parametrize("name", WRONG_CONTENTS)
def test_wrong_json_is_refused_wherever_it_stands(owner: Service, name: str) -> None:
    wrong = WRONG_CONTENTS[name]
    uid = owner.create()["uid"]
    bodies = [body(wrong), body(b'{"deeper":%b}' % wrong), b'{"unknown":%b,%b' % (wrong, body(b"{}")[1:])]
    for each in bodies:
        problem(owner.send_create(each), 400, "invalid_json")
    problem(owner.send_update(uid, b'{"content":%b}' % wrong), 400, "invalid_json")
    assert len(owner.jobs()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b" ",
        b"{",
        body(b"{}")[:-1],
        body(b"{}") + b"x",
        body(b"{}") + b"{}",
        body(b"{}") + b"\0",
        b"\xef\xbb\xbf" + body(b"{}"),
        body(b"{}").decode().encode("utf-16"),
        body(b"{}").decode().encode("utf-32-le"),
        b'{"priority":5,' + body(b"{}")[1:],
        b'{"content":{},' + body(b"{}")[1:],
        b'{"colour":1,"colour":1,' + body(b"{}")[1:],
        b"\x1f\x8b\x08",
        MARKER.encode(),
    ],
    ids=repr,
)
def test_a_body_that_is_no_json_is_refused(owner: Service, wrong: bytes) -> None:
    problem(owner.send_create(wrong), 400, "invalid_json")
    assert owner.jobs() == {}


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (b'{"content":\n{"a":1,}}', "line 2, column 8"),
        (b'{\n\n "content": NaN}', "line 3, column 13"),
        (b'{\n\n "content": -Infinity}', "line 3, column 14"),
        (b'{"content":{"a":1,\n"a":2}}', "line 2, column 1"),
        (b'{\n"content":{"a":1e999}}', "line 2, column 16"),
        (b'{\n"\xc3\xa4":\n"\xc3\xa4\xff"}', "line 3, column 3"),
        (b'{"a":\n' + b"[" * 65, "line 2, column 66"),
        (b'{"a":\n' + b"[" * 64 + b"]" * 64 + b"}", "line 2, column 64"),
        (b'{"a":\n' + b"[" * 100_000 + b"]" * 100_000 + b"}", "line 2, column 64"),
        (b'{\n"content":{"a":"\\ud800"}}', "line 2, column 16"),
        (b"{}\n}", "line 2, column 1"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_place_of_what_is_wrong_is_told(owner: Service, wrong: bytes, place: str) -> None:
    detail = problem(owner.send_create(wrong), 400, "invalid_json")["detail"]
    assert detail.startswith(f"{place}: "), detail


def test_64_deep_is_taken(owner: Service) -> None:
    assert owner.send_create(body(nested(64))).status == 201


def test_brackets_in_strings_are_not_depth(owner: Service) -> None:
    assert owner.create({"a": "[" * 5000 + '"\\' * 100 + "{" * 5000})["state"] == "queued"


def test_siblings_are_not_depth(owner: Service) -> None:
    assert owner.create({"a": [[{}] for _ in range(5000)]})["state"] == "queued"


@pytest.mark.parametrize(
    "right",
    [
        b'{"a":' + b"9" * 20_000 + b"}",
        b'{"a":-' + b"9" * 20_000 + b"}",
        b'{"a":1e308,"b":1e-999,"c":0e999,"d":-0.0}',
        b'{"a":{"a":{"a":1}},"b":{"a":2}}',
        b'{"a":"a:b","b":":::"}',
        rb'{"a":"\ud83e\udd8a","\u0000":1}',
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_is_odd_but_right_is_taken(owner: Service, right: bytes) -> None:
    assert owner.send_create(body(right)).status == 201


texts = st.text(st.characters(codec="utf-8"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_whatever_the_standard_library_writes_is_right(
    value: object, ascii_only: bool, indent: object
) -> None:
    check_json(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode())  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.dictionaries(texts, values, min_size=1, max_size=4), st.data())
def test_a_name_that_stands_twice_is_found_wherever_it_stands(
    value: dict[str, object], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(value)))
    twice = json.dumps(value)[:-1] + f",{json.dumps(name)}:{json.dumps(data.draw(values))}}}"
    for _ in range(data.draw(st.integers(0, 5))):
        twice = data.draw(st.sampled_from(['[1,%s,{"x":":"}]', '{"":%s,"y:":2}'])) % twice.replace("%", "%%")
        twice = twice.replace("%%", "%")
    with pytest.raises(InvalidJson):
        check_json(twice.encode())


@given(st.recursive(st.just(b"1"), lambda inner: inner.map(lambda one: b"[%b]" % one), max_leaves=200))
def test_depth_is_counted_right(value: bytes) -> None:
    if value.count(b"[") > MAX_DEPTH:
        with pytest.raises(InvalidJson):
            check_json(value)
    else:
        check_json(value)


@given(st.binary(max_size=40) | st.text('{}[]":,\\ue0191-+.nutrfalse \n', max_size=40).map(str.encode))
def test_what_is_taken_is_what_the_standard_library_reads(data: bytes) -> None:
    """Never more than they take, and never another exception."""
    try:
        check_json(data)
    except InvalidJson:
        return
    json.loads(data.decode(), parse_constant=pytest.fail)
    msgspec.json.decode(data)
