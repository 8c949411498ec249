"""`jobengine db verify`."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.db.options import Database, Json, answer, database_of, iso, secret_of_environment, size

if TYPE_CHECKING:
    from jobengine.journal.verification import Verification


def verify(
    db: Database = None,
    require_anchor: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--require-anchor", help="Exit with 65 when there is no anchor beside the file.")
    ] = False,
    json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Read and authenticate everything, and say where damage lies; exits with 65 then.

    A server may be using the file meanwhile. Needs SECRET or SECRET_FILE in the environment.
    """
    from jobengine.cli.db.progress import progress
    from jobengine.errors import Damaged
    from jobengine.journal.reading import reading
    from jobengine.journal.verification import Verifier

    path = database_of(db)
    with reading(path, secret_of_environment()) as read, progress("verifying", read.size) as told:
        found = Verifier(read, progress=told).run()
    answer(_document(str(path), found), _lines(str(path), found), as_json=json)
    if found.findings or (require_anchor and not found.has_anchor):
        raise typer.Exit(Damaged.exit_code)


def _document(path: str, found: "Verification") -> dict[str, object]:
    import msgspec

    return {
        "path": path,
        "whole": not found.findings,
        "bytes": found.bytes,
        "frames": found.frames,
        "sequence": found.sequence,
        "time": iso(found.time),
        "torn_bytes": found.torn_bytes,
        "anchor": "present" if found.has_anchor else "missing",
        "commits_missing": found.commits_missing,
        "findings": [msgspec.to_builtins(finding) for finding in found.findings],
    }


def _lines(path: str, found: "Verification") -> list[str]:
    lines = [finding.detail for finding in found.findings]
    verdict = f"damaged: {len(lines)} finding{'' if len(lines) == 1 else 's'}" if lines else "whole"
    lines.append(
        f"{path}: {verdict}; {size(found.bytes)}, {found.frames} frames, "
        f"up to commit {found.sequence} of {iso(found.time)}"
    )
    if found.torn_bytes:
        lines.append(f"A torn tail of {found.torn_bytes} bytes is no damage: the next start cuts it off.")
    if not found.has_anchor:
        lines.append("There is no anchor beside it: nobody can tell whether the newest commits are missing.")
    if found.findings:
        lines.append(
            "What to do: jobengine db repair shows what can be kept; jobengine db restore puts back a copy."
        )
    return lines
