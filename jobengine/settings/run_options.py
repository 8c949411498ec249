"""The options of a queue whose jobs are run, and of those who run them."""

from typing import Final

from jobengine.settings.kinds import Choice, Duration, Flag, Number, Pairs, Several, Size, Text, Whole, Words
from jobengine.settings.memory import MEBIBYTE
from jobengine.settings.option import DIRECTORY, QUEUE, Option
from jobengine.settings.run import RunType, SandboxKind

RUN: Final = f"{QUEUE}.run"

_DAY_MS: Final = 24 * 60 * 60 * 1000
_TIME: Final = Duration(10, 365 * _DAY_MS)
_VARIABLE: Final = Text("[A-Za-z_][A-Za-z0-9_]{0,127}", "the name of an environment variable")
_TEXT: Final = Text(r"(?s:[^\x00]{0,65536})", "a text")
_USER: Final = Text("[A-Za-z_][A-Za-z0-9_.-]{0,63}", "the name of a user of this machine")
_CLASS_NAME: Final = Text("[A-Za-z_][A-Za-z0-9_.-]{0,63}", "the name of a class, as jobs call it")
_CLASS: Final = Text(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", "module:Class")
_URL: Final = Text(r"https?://[^\s]{1,1024}", "a URL such as https://slurml.example.org")
_WORD: Final = Text(r"[^\x00-\x20]{1,4096}", "a text without spaces")
_LARGEST: Final = 2**50

RUN_OPTIONS: Final = (
    Option(
        f"{RUN}.type",
        Choice(tuple(RunType)),
        "What runs the jobs of this queue; without it they are only handed out.",
        live=True,
    ),
    Option(
        f"{RUN}.workers",
        Whole(0, 1000),
        "How many this server runs at once; 0 leaves them all to `jobengine worker`.",
        "jobs",
        live=True,
    ),
    Option(f"{RUN}.command", Words(), "payload: the program that gets the data of each job.", live=True),
    Option(
        f"{RUN}.allow_shell",
        Flag(),
        "shell: whether a job may be a line for /bin/sh, beside a program and its arguments.",
        live=True,
    ),
    Option(
        f"{RUN}.classes",
        Pairs(_CLASS_NAME, _CLASS),
        "python: the classes that jobs may name, and where each is.",
        live=True,
    ),
    Option(
        f"{RUN}.user",
        _USER,
        "Who the jobs are. As root it must be named where there is no sandbox; others may only say `nobody`.",
        live=True,
    ),
    Option(
        f"{RUN}.sandbox",
        Choice(tuple(SandboxKind)),
        "bubblewrap: no network, a read-only system, processes and /tmp of its own.",
        live=True,
    ),
    Option(f"{RUN}.environment", Pairs(_VARIABLE, _TEXT), "Environment variables of every job.", live=True),
    Option(
        f"{RUN}.pass_environment",
        Several(_VARIABLE),
        "Environment variables that jobs get from the server; never SECRET.",
        live=True,
    ),
    Option(
        f"{RUN}.timeout",
        _TIME,
        "How long a job may run; time that it is halted does not count.",
        "seconds",
        live=True,
    ),
    Option(
        f"{RUN}.grace",
        _TIME,
        "From SIGTERM to SIGKILL; python: for each method that ends a job.",
        "seconds",
        live=True,
    ),
    Option(
        f"{RUN}.cpu",
        Duration(1000, 365 * _DAY_MS),
        "The processor time of a process.",
        "seconds",
        live=True,
    ),
    Option(
        f"{RUN}.memory", Size(MEBIBYTE, _LARGEST), "The address space of each process.", "bytes", live=True
    ),
    Option(f"{RUN}.file_size", Size(1024, _LARGEST), "The largest file it may write.", "bytes", live=True),
    Option(f"{RUN}.files", Whole(16, 1_000_000), "How many files a process may open.", "files", live=True),
    Option(
        f"{RUN}.processes",
        Whole(1, 1_000_000),
        "How many processes the user that the jobs are may have in all.",
        "processes",
        live=True,
    ),
    Option(
        f"{RUN}.command_length",
        Whole(1, 131_072),
        "shell: the longest command.",
        "characters",
        live=True,
    ),
    Option(
        f"{RUN}.archive_bytes",
        Size(1024, 64 * MEBIBYTE),
        "bundle: the largest archive.",
        "bytes",
        live=True,
    ),
    Option(
        f"{RUN}.unpacked_bytes",
        Size(1024, _LARGEST),
        "bundle: the most that comes out of it.",
        "bytes",
        live=True,
    ),
    Option(
        f"{RUN}.slurm.url",
        _URL,
        "slurm: a service that speaks HTTP; without it sbatch and the like of this machine.",
        live=True,
    ),
    Option(f"{RUN}.slurm.token", _WORD, "slurm: what that service wants to see.", live=True),
    Option(
        f"{RUN}.slurm.partition",
        _WORD,
        "slurm: which partition; else Slurm's own choice.",
        live=True,
    ),
    Option(f"{RUN}.slurm.poll", _TIME, "slurm: how often a job is looked at.", "seconds", live=True),
)

WORK_OPTIONS: Final = (
    Option(
        "work.slots",
        Whole(0, 10_000),
        "How many jobs this server runs at once, of all queues; 0 is no limit but those of the queues.",
        "jobs",
        live=True,
    ),
    Option(
        "work.drain_seconds",
        Number(0, 3600),
        "How long running jobs have to end when the server is told to; then they are given back.",
        "seconds",
        live=True,
    ),
    Option(
        "work.directory",
        DIRECTORY,
        "Where jobs have their directories; null: where the system has such.",
        live=True,
    ),
)
