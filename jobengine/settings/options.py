"""The table of options. What is checked, what is documented and what exists are these same lines."""

from typing import Final

from jobengine.model.queue import WhenFull
from jobengine.settings.door_options import FACADE_OPTIONS, FACADES, TLS_OPTIONS
from jobengine.settings.kinds import (
    Choice,
    Delays,
    Flag,
    Memory,
    Number,
    Rules,
    Several,
    Size,
    Whole,
)
from jobengine.settings.memory import MEBIBYTE
from jobengine.settings.option import (
    ADDRESS,
    DIRECTORY,
    HOST_NAME,
    NAME,
    NAME_OR_ALL,
    ORIGIN,
    QUEUE,
    Option,
)
from jobengine.settings.run_options import RUN_OPTIONS, WORK_OPTIONS
from jobengine.settings.schema import OnExpire

QUEUES: Final = "queues"

TEN_YEARS_MINUTES: Final = 10 * 365 * 24 * 60
HOUR_SECONDS: Final = 60 * 60

PORT: Final = Whole(0, 65535)
SECONDS: Final = Number(0.1, HOUR_SECONDS)
KEEP: Final = Number(0, TEN_YEARS_MINUTES)
TIMEOUT: Final = Number(0.01, TEN_YEARS_MINUTES)


OPTIONS: Final = (
    Option("version", Number(1, 1), "The version of the API and of this file; 1.0 is the same.", live=True),
    Option("host", ADDRESS, "Where the server listens; 0.0.0.0 is every IPv4 interface."),
    Option("port", PORT, "The port of the API; 0 takes any that is free."),
    Option(
        "admin", Several(NAME), "The services that may administer the server and read /metrics.", live=True
    ),
    Option(
        "allowed_hosts",
        Several(HOST_NAME),
        "The Host names that are answered besides IP addresses and names without a dot.",
    ),
    Option("allowed_origins", Several(ORIGIN), "The web pages of other origins that may send requests."),
    Option(
        "job_keep_minutes", KEEP, "How long an ended job is kept after its last update.", "minutes", live=True
    ),
    Option(
        "job_timeout_minutes",
        TIMEOUT,
        "How long without an update until a job in progress fails.",
        "minutes",
        live=True,
    ),
    Option(
        "config_dir",
        DIRECTORY,
        "The directory of the queues that have files of their own, as seen from the directory of this file.",
    ),
    Option(
        "database.compact_above_mib",
        Whole(0, 1024 * 1024),
        "No smaller database file is written anew.",
        "MiB",
    ),
    Option(
        "database.compact_live_ratio",
        Number(0, 1),
        "The file is written anew when less of it is still of use.",
        "of the file",
    ),
    Option(
        "database.keep_old_files",
        Whole(0, 1000),
        "How many of the files that were written anew are kept, for `db history` and `db restore --until`.",
        "files",
    ),
    Option(
        "database.reserve_mib",
        Whole(0, 1024 * 1024),
        "With less room on the disk nothing is added any more; jobs are still claimed and finished.",
        "MiB",
    ),
    Option(
        "database.scrub_hours",
        Number(0, TEN_YEARS_MINUTES / 60),
        "How often the whole database file is read and checked; 0 is never.",
        "hours",
    ),
    Option(
        "database.scrub_mib_per_second",
        Number(0.1, 10_000),
        "How much of it is read in a second, at most.",
        "MiB in a second",
    ),
    Option("limits.body_bytes", Size(1024, 64 * MEBIBYTE), "The largest body of a request.", "bytes"),
    Option(
        "limits.connections",
        Whole(1, 1_000_000),
        "The most connections; fewer where the system allows fewer open files.",
        "connections",
    ),
    Option("limits.header_seconds", SECONDS, "The time for the complete header of a request.", "seconds"),
    Option("limits.body_seconds", SECONDS, "The time for the complete body of a request.", "seconds"),
    Option(
        "limits.idle_seconds", SECONDS, "How long a connection may stay open between two requests.", "seconds"
    ),
    Option("limits.write_seconds", SECONDS, "How long a client may leave its answer unread.", "seconds"),
    Option(
        "limits.memory",
        Memory(MEBIBYTE),
        "The memory that jobs may take; a create beyond it gets 429.",
        "bytes",
        default_text="50%",
    ),
    Option("metrics.host", ADDRESS, "Where a listener for /metrics alone listens."),
    Option(
        "metrics.port",
        PORT,
        "Its port; whoever reaches it may scrape. Without a port there is no such listener.",
    ),
    Option(
        f"{QUEUE}.read",
        Several(NAME_OR_ALL),
        "The services that may claim and list jobs.",
        live=True,
        needed=True,
    ),
    Option(
        f"{QUEUE}.write",
        Several(NAME_OR_ALL),
        "The services that may create, change and delete jobs.",
        live=True,
        needed=True,
    ),
    Option(
        f"{QUEUE}.job_keep_minutes", KEEP, "As above, for this queue.", "minutes", live=True, inherits=True
    ),
    Option(
        f"{QUEUE}.job_timeout_minutes",
        TIMEOUT,
        "As above, for this queue.",
        "minutes",
        live=True,
        inherits=True,
    ),
    Option(
        f"{QUEUE}.max_attempts",
        Whole(1, 1000),
        "How often a job is handed out before an error or a timeout is final.",
        "attempts",
        live=True,
    ),
    Option(
        f"{QUEUE}.backoff",
        Delays(),
        "How long a job waits for its next attempt: growing, each by the factor, longer or shorter "
        "by up to the share that jitter is; or a list, of which the last one stays.",
        "seconds",
        live=True,
    ),
    Option(
        f"{QUEUE}.errors",
        Rules(),
        "By the kind of error: fail is no retry, anything else a backoff of its own.",
        live=True,
    ),
    Option(
        f"{QUEUE}.dead_letter",
        NAME,
        "The queue that takes the jobs that failed for good; it must be one of this file.",
        live=True,
    ),
    Option(
        f"{QUEUE}.max_jobs",
        Whole(0, 10**9),
        "How many jobs may wait in it; 0 is no limit.",
        "jobs",
        live=True,
    ),
    Option(
        f"{QUEUE}.max_bytes",
        Size(0, 2**50),
        "How large the contents of those that wait may be together; 0 is no limit.",
        "bytes",
        live=True,
    ),
    Option(
        f"{QUEUE}.when_full",
        Choice(tuple(WhenFull)),
        "What a full queue does: refuse a new job (429), or drop its last one for one more urgent.",
        live=True,
    ),
    Option(
        f"{QUEUE}.on_expire",
        Choice(tuple(OnExpire)),
        "What becomes of a job that waited past its end: it is gone, or it has failed.",
        live=True,
    ),
    Option(f"{QUEUE}.paused", Flag(), "Whether no jobs are handed out.", live=True),
    Option(
        f"{QUEUE}.admin",
        Several(NAME),
        "The services that may administer this queue, besides those of the file.",
        live=True,
    ),
    Option(
        f"{QUEUE}.log_bytes",
        Size(1024, 1024 * MEBIBYTE),
        "What is kept of the output of a job that is run: its beginning, and the last of its end.",
        "bytes",
        live=True,
    ),
    Option(
        f"{QUEUE}.keep_logs",
        Whole(1, 1_000_000),
        "Of how many ended jobs the output is kept, the most recent ones.",
        "jobs",
        live=True,
    ),
    *RUN_OPTIONS,
    *WORK_OPTIONS,
    *TLS_OPTIONS,
    *FACADE_OPTIONS,
)

SECTIONS: Final = frozenset(option.section for option in OPTIONS) | {FACADES}


def options_of(section: str) -> dict[str, Option]:
    """The options that stand directly in this section, by name."""
    return {option.name: option for option in OPTIONS if option.section == section}


def sections_of(section: str) -> dict[str, str]:
    """The paths of the sections that stand directly in this one, by name."""
    found = {each: each.removeprefix(f"{section}.") if section else each for each in SECTIONS - {"", QUEUE}}
    return {name: each for each, name in found.items() if "." not in name and (not section or name != each)}
