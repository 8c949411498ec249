"""Every mistake is told, at its line, with what would be right."""

from textwrap import dedent

import pytest

from jobengine.errors import ConfigurationWrong
from jobengine.settings.load import parse
from jobengine.settings.mistakes import MISTAKES_MOST
from jobengine.settings.schema import Settings
from jobengine.settings.snapshot import FILE_MOST_BYTES

NAME = 'a name (letters, digits, ".", "_", "-"; at most 64, a letter or digit first)'
NAME_OR_ALL = f'{NAME}, or "*" for every service'
QUEUE = "queues: {mail: {read: [a], write: [b]}}\n"


def settings_of(text: str, **environment: str) -> Settings:
    return parse(dedent(text).encode(), source="config.yml", environment=environment)


def mistakes_of(text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationWrong) as refusal:
        settings_of(text, **environment)
    return list(refusal.value.mistakes)


MISTAKES = {
    # what editors leave behind
    "": '1: is empty (write "queues: {}" for no queues)',
    "# only a comment\n": '1: is empty (write "queues: {}" for no queues)',
    "---\n": "2: must be keys with values, not nothing",
    "null": "1: must be keys with values, not nothing",
    "queues": '1: must be keys with values, not "queues"',
    "- queues": "1: must be keys with values, not a list",
    "{}": '1: "queues" is missing (write "queues: {}" for none)',
    "port: 6010\n": '1: "queues" is missing (write "queues: {}" for none)',
    "port: 6010\nqueues:\n": "2: queues: must be keys with values, not nothing",
    "queues:\n  mail:\n": "2: queues.mail: must be keys with values, not nothing",
    "queues:\n  mail:\n    read: [a]\n": '2: queues.mail: "write" is missing (write "write: []" for nobody)',
    "queues:\n  mail:\n    write: [a]\n": '2: queues.mail: "read" is missing (write "read: []" for nobody)',
    "queues:\n  mail: {write: [a], read:}\n": "2: queues.mail.read: must be a list, not nothing",
    "queues:\n  mail: {read: [a": "2: not YAML: expected ',' or ']', but got '<stream end>'",
    "queues: {}\n---\nqueues: {}\n": "2: not YAML: but found another document",
    # keys
    f"{QUEUE}prot: 1\n": '2: unknown key "prot" (did you mean "port"?)',
    f"{QUEUE}zzz: 1\n": '2: unknown key "zzz"',
    f"{QUEUE}Port: 1\n": '2: unknown key "Port" (did you mean "port"?)',
    f"{QUEUE}limits:\n  body_byte: 1\n": '3: limits: unknown key "body_byte" (did you mean "body_bytes"?)',
    "queues:\n  mail:\n    read: []\n    write: []\n    wirte: []": (
        '5: queues.mail: unknown key "wirte" (did you mean "write"?)'
    ),
    "port: 1\nport: 1\nqueues: {}": '2: "port" is already in line 1',
    "queues:\n  a: &a {read: [], write: []}\n  a: *a": '3: queues: "a" is already in line 2',
    "queues: {}\n1: 2": "2: a key must be a text, not 1 (write it in quotes)",
    "queues: {}\n[a]: 2": "2: a key must be a text, not a list",
    "queues: {}\n<<: {port: 1}": "2: a key must be a text, not <<",
    "queues: {no: {read: [], write: []}}": "1: queues: a key must be a text, not no (write it in quotes)",
    "queues: {-a: {}}": f'1: queues: a queue\'s name must be {NAME}, not "-a"',
    "queues: {'a/b': {}}": f'1: queues: a queue\'s name must be {NAME}, not "a/b"',
    "queues: {'${A}': {}}": f'1: queues: a queue\'s name must be {NAME}, not "${{A}}"',
    f"queues: {{{'a' * 65}: {{}}}}": f'1: queues: a queue\'s name must be {NAME}, not "{"a" * 60}..."',
    'queues: {"a\\nb": {}}': f'1: queues: a queue\'s name must be {NAME}, not "a\\nb"',
    # values
    f"version: 2\n{QUEUE}": "1: version: must be 1, not 2",
    f"version: '1'\n{QUEUE}": '1: version: must be 1, not "1"',
    f"port: 65536\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not 65536",
    f"port: -1\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not -1",
    f"port: 6010.0\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not 6010.0",
    f"port: '6010'\n{QUEUE}": '1: port: must be a whole number from 0 to 65535, not "6010"',
    f"port: 010\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not 010",
    f"port: 1:40\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not 1:40",
    f"port: true\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not true",
    f"port:\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not nothing",
    f"port: [1]\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not a list",
    f"port: {{a: 1}}\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not keys with values",
    f"port: !!python/name:os.system 1\n{QUEUE}": "1: port: must be a whole number from 0 to 65535, not 1",
    f"host: 1\n{QUEUE}": "1: host: must be an IP address or the name of a host, not 1 (write it in quotes)",
    f"host: a b\n{QUEUE}": '1: host: must be an IP address or the name of a host, not "a b"',
    f"admin: ops\n{QUEUE}": '1: admin: must be a list, not "ops"',
    f"admin: ['*']\n{QUEUE}": f'1: admin: must be {NAME}, not "*"',
    f"admin: [2024-01-01]\n{QUEUE}": f"1: admin: must be {NAME}, not 2024-01-01 (write it in quotes)",
    f"admin: [[a]]\n{QUEUE}": f"1: admin: must be {NAME}, not a list",
    "queues: {a: {read: [no], write: []}}": (
        f"1: queues.a.read: must be {NAME_OR_ALL}, not no (write it in quotes)"
    ),
    "queues: {a: {read: [b, c, b], write: []}}": '1: queues.a.read: "b" is already in the list',
    "queues: {a: {read: [], write: [], max_attempts: 0}}": (
        "1: queues.a.max_attempts: must be a whole number from 1 to 1000, not 0"
    ),
    f"job_keep_minutes: -1\n{QUEUE}": "1: job_keep_minutes: must be a number from 0 to 5256000, not -1",
    f"job_timeout_minutes: 0\n{QUEUE}": (
        "1: job_timeout_minutes: must be a number from 0.01 to 5256000, not 0"
    ),
    f"job_keep_minutes: .inf\n{QUEUE}": "1: job_keep_minutes: must be a number from 0 to 5256000, not .inf",
    f"limits: {{body_bytes: 1}}\n{QUEUE}": "1: limits.body_bytes: must be a size from 1KiB to 64MiB, not 1",
    f"limits: {{body_bytes: 2KB}}\n{QUEUE}": (
        '1: limits.body_bytes: must be a size from 1KiB to 64MiB, not "2KB"'
    ),
    f"limits: {{memory: 101%}}\n{QUEUE}": (
        "1: limits.memory: must be a size such as 2GiB, or a percentage such as 50%, and at least 1MiB, "
        'not "101%"'
    ),
    f"limits:\n{QUEUE}": "1: limits: must be keys with values, not nothing",
    f"allowed_origins: [example.org]\n{QUEUE}": (
        '1: allowed_origins: must be an origin such as https://jobs.example.org, not "example.org"'
    ),
    f"allowed_hosts: ['a:80']\n{QUEUE}": (
        '1: allowed_hosts: must be the name of a host without its port, or "*" for any, not "a:80"'
    ),
    # not YAML, and not fit to be read
    "port: @": "1: not YAML: found character '@' that cannot start any token",
    "a: 1\n\tb: 2": "2: not YAML: found character '\\t' that cannot start any token",
    "queues: {}\n# \x00": "2: not YAML: a character that may not stand here",
    'queues: "\\Uffffffff"': "1: not YAML: a character or version that does not exist",
    "queues: *nobody": "1: not YAML: found undefined alias 'nobody'",
    "[" * 10_000: "1: not YAML: nested too deeply",
    "queues: &a {b: *a}": "1: too much in one file, or nested too deeply",
}


@pytest.mark.parametrize(("text", "mistake"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_line_and_its_place(text: str, mistake: str) -> None:
    assert mistakes_of(text) == [f"config.yml:{mistake}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = """\
        queues:
          mail:
            read: [a]
            wirte: [b]
        port: x
        limits:
          connections: 0
        """
    assert mistakes_of(text) == [
        'config.yml:2: queues.mail: "write" is missing (write "write: []" for nobody)',
        'config.yml:4: queues.mail: unknown key "wirte" (did you mean "write"?)',
        'config.yml:5: port: must be a whole number from 0 to 65535, not "x"',
        "config.yml:7: limits.connections: must be a whole number from 1 to 1000000, not 0",
    ]


def test_after_a_hundred_mistakes_no_more_are_looked_for() -> None:
    assert len(mistakes_of("".join(f"key{n}: 1\n" for n in range(5000)))) == MISTAKES_MOST


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    names = ", ".join(f"s{n}" for n in range(10_000))
    queues = "\n".join(f"  q{n}: {{read: *all, write: *all}}" for n in range(10_000))
    text = f"admin: &all [{names}]\nqueues:\n{queues}\n"
    (mistake,) = mistakes_of(text)
    assert mistake.endswith("too much in one file, or nested too deeply")


def test_a_huge_file_is_refused_unread() -> None:
    assert mistakes_of("#" * (FILE_MOST_BYTES + 1)) == [f"config.yml: is larger than {FILE_MOST_BYTES} bytes"]


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(ConfigurationWrong) as refusal:
        parse(b"queues: {}\n# \xff\n", source="config.yml", environment={})
    assert refusal.value.mistakes == ("config.yml:2: is not UTF-8",)


def test_no_beginning_of_a_file_with_queues_says_that_there_are_none() -> None:
    text = "version: 1\nport: 6010\nqueues:\n  mail:\n    read:\n    - postman\n    write:\n    - website\n"
    for cut in range(len(text) - 1):
        try:
            settings = settings_of(text[:cut])
        except ConfigurationWrong:
            continue
        assert [queue.name for queue in settings.queues] == ["mail"]
