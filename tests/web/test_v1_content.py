"""Content is shown byte for byte as it came, wherever it is shown."""

import re

import pytest

from tests.support.connection import Answer
from tests.support.service import Service

UID = re.compile(rb'"uid":"([0-9a-f-]{36})"')
CONTENTS = [
    b"{}",
    b"{ }",
    b'{\t"a" :\r\n 1 ,"b":[ ]\n}',
    '{"text":"Grüße, 世界, 🦊"}'.encode(),
    rb'{"text":"Gr\u00fc\u00DFe \ud83e\udd8a \/ \b\f\n\r\t \" \\"}',
    b'{"big":123456789012345678901234567890123456789012345678901234567890}',
    b'{"big":' + b"9" * 5000 + b"}",
    b'{"exact":0.1000000000000000055511151231257827,"zero":-0,"e":1E+2,"small":1e-400}',
    b'{"":"","\\u0000":"\\u0000"}',
    b'{"z":1,"a":2,"m":{"z":1,"a":2}}',
    '{"bom":"\ufeff","line":"\u2028\u2029","not a character":"\uffff"}'.encode(),
    b'{"brackets":"[[[[{{{{","quote":"\\\\\\""}',
    b'{"long":"' + b"x" * 16_000 + b'"}',
    b'{"longer":"' + b"x" * 100_000 + b'"}',
    b'{"many":[' + b",".join(b"%d" % number for number in range(20_000)) + b"]}",
]


def shown(answer: Answer) -> bytes:
    """The content, as it stands in an answer with one job."""
    assert answer.status in (200, 201), answer.body
    start = answer.body.index(b'{"content":') + len(b'{"content":')
    return answer.body[start : answer.body.rindex(b',"created":')]


def body(content: bytes) -> bytes:
    return b' { "priority":5, "content" : %b ,"valid_for":60 }\n' % content


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content[:30].decode(errors="replace"))
def test_content_is_shown_as_it_was_created(owner: Service, content: bytes) -> None:
    created = owner.send_create(body(content))
    assert shown(created) == content
    uid = UID.findall(created.body)[-1].decode()
    paths = (f"/api/v1/jobs/{uid}", "/api/v1/jobs", "/api/v1/jobs/next", f"/api/v1/jobs/{uid}")
    assert [shown(owner.ask("GET", path)) for path in paths] == [content] * 4
    assert shown(owner.send_update(uid, b'{"status":"complete"}')) == content


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content[:30].decode(errors="replace"))
def test_content_is_shown_as_it_was_updated(owner: Service, content: bytes) -> None:
    uid = owner.create({"old": "x" * 20_000})["uid"]
    assert shown(owner.send_update(uid, b'{"content":%b}' % content)) == content
    assert shown(owner.ask("GET", f"/api/v1/jobs/{uid}")) == content


def test_a_job_has_the_documented_fields_and_no_others_whatever_its_content(owner: Service) -> None:
    owner.create({"uid": "mine", "state": "failed"})
    assert sorted(owner.claim()) == [
        "content",
        "created",
        "last_updated",
        "priority",
        "state",
        "timeout_time",
        "uid",
    ]


def test_small_and_large_contents_may_follow_each_other(owner: Service) -> None:
    uid = owner.create({"n": 0})["uid"]
    for content in ({"n": "x" * 50_000}, {"n": 1}, {"n": "y" * 1_000_000}, {}):
        assert owner.update(uid, content=content)["content"] == content
        assert owner.get(uid)["content"] == content
